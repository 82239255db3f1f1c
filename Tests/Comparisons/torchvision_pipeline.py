"""Images per second of the usual PyTorch training pipeline on one thread, for comparison.

    python Tests/Comparisons/torchvision_pipeline.py FOLDER [--size 224] [--rounds 2]

Decodes every JPEG under FOLDER from memory, then RandomResizedCrop (bicubic), flip and to float:
what `bench data` measures of this project. The files are read beforehand. Needs torch, torchvision
and Pillow.
"""

import argparse
import io
import pathlib
import random
import time

import torch
from PIL import Image

try:
    from torchvision import transforms
except RuntimeError:  # a torchvision built for another torch: its box operators are missing
    LIBRARY = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import transforms


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    streams = [p.read_bytes() for p in paths]
    transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(
                options.size, interpolation=transforms.InterpolationMode.BICUBIC
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
        ]
    )
    for stream in streams[:20]:
        transform(Image.open(io.BytesIO(stream)).convert("RGB"))
    best = 0.0
    for _ in range(options.rounds):
        start = time.perf_counter()
        for stream in streams:
            transform(Image.open(io.BytesIO(stream)).convert("RGB"))
        best = max(best, len(streams) / (time.perf_counter() - start))
    print(f"{best:.1f} images/s on one thread, {len(streams)} images, best of {options.rounds}")


if __name__ == "__main__":
    main()
