"""PyTorch's side of a comparison: one variant of one work, timed whenever the driver asks.

Started by peers.py. Reads lines from standard input: how often to repeat the work, or `end`.
Answers each with one line of JSON: the seconds of every repetition, or what is to be said of the
process.

    python Tests/Peers/torch_peer.py --work step --model deit_tiny_patch16_224 --batch 32
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Fixtures"))

import torch  # noqa: E402
import torch.distributed  # noqa: E402
from timm_oracle import timm  # noqa: E402

CIFAR = dict(img_size=32, patch_size=4, embed_dim=192, depth=9, num_heads=3, num_classes=10)
WORKS = ["step", "adversarial", "attack", "evaluate"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", choices=WORKS, default="step")
    parser.add_argument("--model", default="deit_tiny_patch16_224", help="timm's name, or cifar")
    parser.add_argument("--batch", type=int, default=32, help="images, over all processes")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--attack-steps", type=int, default=10)
    parser.add_argument("--epsilon", type=float, default=8 / 255)
    return parser.parse_args()


class Processes:
    """Those of a job, or this one alone; the first reads the driver's lines for all."""

    def __init__(self):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1:
            torch.distributed.init_process_group("gloo", timeout=datetime.timedelta(hours=2))

    def read(self):
        line = [sys.stdin.readline().strip() or "end"] if self.rank == 0 else [None]
        if self.count > 1:
            torch.distributed.broadcast_object_list(line)
        return line[0]

    def say(self, **values):
        if self.rank == 0:
            print(json.dumps(values), flush=True)

    def largest(self, value):
        if self.count == 1:
            return value
        tensor = torch.tensor([float(value)], dtype=torch.float64)
        torch.distributed.all_reduce(tensor, torch.distributed.ReduceOp.MAX)
        return tensor.item()


def product_rate(precision, side=1024, repeats=10):
    """Best of several on one thread, in GFLOP/s: what the library can do here."""
    torch.set_num_threads(1)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(side, side, dtype=dtype), torch.randn(side, side, dtype=dtype)
    out = torch.empty(side, side, dtype=dtype)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds) / 1e9


def training_step(model, images, labels, cast, prepare=lambda images: images):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)

    def step():
        examples = prepare(images)
        optimizer.zero_grad(set_to_none=True)
        with cast():
            loss = torch.nn.functional.cross_entropy(model(examples), labels)
        loss.backward()
        optimizer.step()

    return step


def generation(model, labels, cast, options):
    """A function of images: PGD, l-infinity, in evaluation mode. Without gradients of the weights,
    though the library leaves them on."""
    import torchattacks

    attack = torchattacks.PGD(
        model, eps=options.epsilon, alpha=options.epsilon / 4, steps=options.attack_steps)

    def examples(images):
        model.requires_grad_(False)
        with cast():
            found = attack(images, labels)
        model.requires_grad_(True)
        return found

    return examples


def evaluation(model, images, cast):
    def step():
        with torch.inference_mode(), cast():
            model(images)

    return step


def make_model(name):
    if name == "cifar":
        return timm.models.vision_transformer.VisionTransformer(**CIFAR)
    return timm.create_model(name)


def make_work(options, processes):
    torch.manual_seed(0)
    trains = options.work in ("step", "adversarial")
    model = make_model(options.model).train(trains)
    side, channels = model.patch_embed.img_size[0], model.patch_embed.proj.in_channels
    count = options.batch // processes.count
    images = torch.rand(count, channels, side, side)
    labels = torch.randint(0, model.num_classes, (count,))
    if processes.count > 1 and trains:
        model = torch.nn.parallel.DistributedDataParallel(model)
    if options.compile:
        model = torch.compile(model)

    def cast():
        if options.precision == "f32":
            return contextlib.nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)

    if options.work == "evaluate":
        return evaluation(model, images, cast)
    if options.work == "step":
        return training_step(model, images, labels, cast)
    examples = generation(model, labels, cast, options)
    if options.work == "attack":
        return lambda: examples(images)
    return training_step(model, images, labels, cast, prepare=examples)


def main():
    options, processes = parse(), Processes()
    torch.set_num_threads(options.threads)
    work = make_work(options, processes)
    for _ in range(options.warmup):
        work()
    processes.say(torch=torch.__version__, timm=timm.__version__)
    while (line := processes.read()) != "end":
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            work()
            seconds.append(processes.largest(time.perf_counter() - start))
        processes.say(seconds=seconds, images=options.batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    peak, rate = processes.largest(peak), product_rate(options.precision)
    processes.say(peakRssBytes=peak, gemmGflops=rate)


if __name__ == "__main__":
    main()
