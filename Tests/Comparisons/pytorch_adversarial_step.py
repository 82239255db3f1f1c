"""PyTorch's side of `vitdist bench step --objective "{kind: adversarial, ...}"`: one step of
adversarial training (Madry et al., 2018), eager, float32, one thread.

    python Tests/Comparisons/pytorch_adversarial_step.py --batch 32 --steps 3
    python Tests/Comparisons/pytorch_adversarial_step.py --batch 128 \\
        --vit '{"img_size": 32, "patch_size": 4, "embed_dim": 160, "depth": 6, "num_heads": 5,
                "mlp_ratio": 2, "num_classes": 10, "class_token": false, "global_pool": "avg"}'

A step is PGD in evaluation mode from a uniform start (l-infinity, gradients of the images only),
then forward, cross-entropy, backward and AdamW on the examples, in training mode. The images are in
memory already. Prints one JSON object; `gemmGflops` is PyTorch's own float32 matrix-product rate in
the same process, `attackStepMilliseconds` the median of one step of the attack.
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
from pytorch_step import product_rate  # noqa: E402
from timm_oracle import timm  # noqa: E402

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="deit_tiny_patch16_224", help="timm's name")
    parser.add_argument("--vit", type=json.loads, help="instead: VisionTransformer's arguments")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=3, help="timed steps")
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--attack-steps", type=int, default=3)
    parser.add_argument("--epsilon", type=float, default=4 / 255)
    parser.add_argument("--alpha", type=float, default=1 / 255)
    return parser.parse_args()


class Normalized(torch.nn.Module):
    """A model of pixels in 0...1."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, images):
        return self.model((images - self.mean) / self.deviation)


def pgd(model, images, labels, options):
    """Examples within epsilon of the images; the parameters get no gradient."""
    start = torch.empty_like(images).uniform_(-options.epsilon, options.epsilon)
    examples = (images + start).clamp_(0, 1)
    for _ in range(options.attack_steps):
        examples.requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(model(examples), labels, reduction="sum")
        gradient, = torch.autograd.grad(loss, examples)
        with torch.no_grad():
            moved = examples + options.alpha * gradient.sign()
            low, high = images - options.epsilon, images + options.epsilon
            examples = torch.min(torch.max(moved, low), high).clamp_(0, 1)
    return examples


def main():
    options = parse()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = timm.models.vision_transformer.VisionTransformer(**options.vit) if options.vit \
        else timm.create_model(options.model)
    model = Normalized(network)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    side, channels = network.patch_embed.img_size[0], network.patch_embed.proj.in_channels
    images = torch.rand(options.batch, channels, side, side)
    labels = torch.randint(0, network.num_classes, (options.batch,))
    attacks = []

    def step():
        model.eval()
        # Without this the weights' gradients would still not be formed, but their inputs be kept.
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        start = time.perf_counter()
        examples = pgd(model, images, labels, options)
        attacks.append(time.perf_counter() - start)
        for parameter in model.parameters():
            parameter.requires_grad_(True)
        model.train()
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(examples), labels).backward()
        optimizer.step()

    wall, cpu = [], []
    for index in range(options.warmup + options.steps):
        start, start_cpu = time.perf_counter(), time.process_time()
        step()
        if index >= options.warmup:
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - start_cpu)
    attack = statistics.median(attacks[options.warmup:])
    print(json.dumps({
        "model": options.vit or options.model, "batch": options.batch, "steps": options.steps,
        "attackSteps": options.attack_steps,
        "imagesPerSecond": options.batch / statistics.median(wall),
        "millisecondsPerStep": 1e3 * statistics.median(wall),
        "processorMillisecondsPerStep": 1e3 * min(cpu),
        "attackStepMilliseconds": 1e3 * attack / max(options.attack_steps, 1),
        "gemmGflops": product_rate(),
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": torch.get_num_threads(), "precision": "f32", "torch": torch.__version__,
        "timm": timm.__version__}))


if __name__ == "__main__":
    main()
