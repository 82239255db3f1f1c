"""Writes a timm model with timm's own random weights, pictures and logits, to check by command.

    python Tests/Fixtures/export_timm.py vit_tiny_patch16_224 OUT
    vitdist predict --model vit_tiny_patch16_224 --weights OUT/weights.safetensors \\
        --data OUT/images-00000-of-00001.h5 --output OUT/predictions.h5
    python Tests/Fixtures/export_timm.py --compare OUT

OUT then holds weights.safetensors, images-00000-of-00001.h5 (a shard of raw 8-bit images) and
logits.json. Biases, norms and tokens, which timm starts at 0, 1 or 1e-6, get some noise, so that
leaving one out is seen; --plain keeps them as timm makes them.
"""

import argparse
import json
import pathlib
import sys

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

from timm_oracle import CUSTOM, description, make, normalize


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", help="timm's name or one of " + ", ".join(CUSTOM))
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--compare", action="store_true", help="predictions.h5 against logits.json")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    return parser.parse_args()


def disturb(model):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1 or name.endswith("_token"):
                value.add_(torch.randn_like(value) * 0.1)


def write_shard(path, pixels):
    """The project's own layout: uint8 [N, H, W, C], one image a chunk."""
    labels = np.arange(len(pixels), dtype=np.int64)
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=pixels, chunks=(1, *pixels.shape[1:]))
        file.create_dataset("labels", data=labels)
        file.attrs["format"] = "vitdist-shard"
        file.attrs["version"] = 1
        file.attrs["classes"] = [f"class{label}" for label in labels]


def metadata_of(about):
    """What vitdist writes with its own weights; files of timm's names do without it."""
    if about["model"] not in CUSTOM:
        return {}
    same = {k: about[k] for k in (
        "imageSize", "patchSize", "channels", "width", "depth", "heads", "classes", "distilled")}
    choice = {"kind": "vit", **same, "mlpRatio": about["hidden"] / about["width"],
              "pooling": "mean" if about["pooling"] == "mean" else "token",
              "mean": about["mean"], "deviation": about["std"]}
    return {"vitdist.model": json.dumps(choice),
            "mean": ",".join(map(str, about["mean"])), "std": ",".join(map(str, about["std"]))}


def export(options):
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    model = make(options.name).eval()
    if not options.plain:
        disturb(model)
    about = description(model, options.name)
    shape = (options.images, about["imageSize"], about["imageSize"], about["channels"])
    pixels = np.random.default_rng(options.seed).integers(0, 256, shape, dtype=np.uint8)
    inputs = torch.from_numpy(pixels.astype(np.float32) / 255).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = model(normalize(inputs, options.name))
    metadata = {"format": "pt", **metadata_of(about)}
    save_file(model.state_dict(), options.out / "weights.safetensors", metadata)
    write_shard(options.out / "images-00000-of-00001.h5", pixels)
    (options.out / "logits.json").write_text(json.dumps({"model": about, "logits": logits.tolist()}))
    print(json.dumps(about))


def compare(options):
    expected = np.array(json.loads((options.out / "logits.json").read_text())["logits"])
    with h5py.File(options.out / "predictions.h5") as file:
        found = file["logits"][:]
    if found.shape != expected.shape:
        sys.exit(f"predictions have shape {found.shape}, timm's logits {expected.shape}")
    distance = float(np.abs(found - expected).max())
    print(json.dumps({"images": len(expected), "largestDistance": distance}))
    sys.exit(0 if distance <= options.tolerance else 1)


def main():
    options = parse()
    if options.compare:
        compare(options)
    elif options.name:
        export(options)
    else:
        sys.exit("name a model, or --compare")


if __name__ == "__main__":
    main()
