"""PyTorch's side of `vitdist bench step`: one training step, eager, float32, one thread.

    python Tests/Comparisons/pytorch_step.py --model deit_tiny_patch16_224 --batch 32 --steps 5
    python Tests/Comparisons/pytorch_step.py --batch 128 \\
        --vit '{"img_size": 32, "patch_size": 4, "embed_dim": 192, "depth": 6, "num_heads": 3,
                "num_classes": 10}'

A step is forward, cross-entropy, backward and AdamW, on images that are in memory already. Prints
one JSON object; `gemmGflops` is PyTorch's own float32 matrix-product rate in the same process.
"""

import argparse
import json
import pathlib
import resource
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Fixtures"))

import torch  # noqa: E402
from timm_oracle import timm  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="deit_tiny_patch16_224", help="timm's name")
    parser.add_argument("--vit", type=json.loads, help="instead: VisionTransformer's arguments")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5, help="timed steps")
    parser.add_argument("--warmup", type=int, default=2)
    return parser.parse_args()


def product_rate(side=1024, repeats=10):
    """Best of several, in GFLOP/s: what the library can do here, undisturbed."""
    a, b = torch.randn(side, side), torch.randn(side, side)
    out = torch.empty(side, side)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds) / 1e9


def main():
    options = parse()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = timm.models.vision_transformer.VisionTransformer(**options.vit) if options.vit \
        else timm.create_model(options.model)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    side, channels = model.patch_embed.img_size[0], model.patch_embed.proj.in_channels
    images = torch.randn(options.batch, channels, side, side)
    labels = torch.randint(0, model.num_classes, (options.batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()

    wall, cpu = [], []
    for index in range(options.warmup + options.steps):
        start, start_cpu = time.perf_counter(), time.process_time()
        step()
        if index >= options.warmup:
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - start_cpu)
    print(json.dumps({
        "model": options.vit or options.model, "batch": options.batch, "steps": options.steps,
        "imagesPerSecond": options.batch / statistics.median(wall),
        "millisecondsPerStep": 1e3 * statistics.median(wall),
        "processorMillisecondsPerStep": 1e3 * statistics.median(cpu),
        "gemmGflops": product_rate(),
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": torch.get_num_threads(), "precision": "f32", "torch": torch.__version__,
        "timm": timm.__version__}))


if __name__ == "__main__":
    main()
