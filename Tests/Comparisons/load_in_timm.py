"""Shows that weights written by vitdist load into timm unchanged and mean the same there.

    vitdist predict --weights F.safetensors --model NAME --data SHARDS --output OUT.h5
    python Tests/Comparisons/load_in_timm.py --model NAME --weights F.safetensors \\
        --data SHARD.h5 [SHARD.h5 ...] --predictions OUT.h5

The shards, raw or encoded, must hold images of the model's own size: then both sides see the same
pixels, and JPEG streams are decoded by Pillow, whose pixels may differ by a rounding. Prints the
largest distance of the logits and exits with 1 if it exceeds --tolerance.
"""

import argparse
import io
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Fixtures"))

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from timm_oracle import timm  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="timm's name")
    parser.add_argument("--vit", type=json.loads, help="instead: VisionTransformer's arguments")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--predictions", required=True)
    parser.add_argument("--mean", type=float, nargs="+")
    parser.add_argument("--std", type=float, nargs="+")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    return parser.parse_args()


def make_model(options, state):
    classes = state["head.weight"].shape[0]
    if options.vit:
        model = timm.models.vision_transformer.VisionTransformer(
            **{"num_classes": classes, **options.vit})
    else:
        model = timm.create_model(options.model, num_classes=classes)
    model.load_state_dict(state, strict=True)
    return model.eval()


def images(path):
    """Every image of a shard as uint8 [height, width, channels]."""
    with h5py.File(path) as shard:
        if "images" in shard:
            yield from shard["images"]
            return
        offsets = shard["offsets"][:]
        for first, last in zip(offsets[:-1], offsets[1:]):
            image = Image.open(io.BytesIO(shard["encoded"][first:last].tobytes()))
            yield np.asarray(image.convert("RGB"))


def normalization(options):
    if options.mean and options.std:
        return options.mean, options.std
    if not options.model:
        sys.exit("give --mean and --std with --vit: a custom model has no usual normalisation")
    config = timm.get_pretrained_cfg(options.model)
    return config.mean, config.std


def main():
    options = parse()
    with safe_open(options.weights, "pt") as file:
        print("metadata:", file.metadata(), file=sys.stderr)
    model = make_model(options, load_file(options.weights))
    mean, std = (np.asarray(v, np.float32) for v in normalization(options))
    with h5py.File(options.predictions) as predictions:
        expected = predictions["logits"][:]
    worst, agree, index = 0.0, 0, 0
    for path in options.data:
        for pixels in images(path):
            inputs = (pixels.astype(np.float32) / 255 - mean) / std
            with torch.no_grad():
                logits = model(torch.from_numpy(inputs).permute(2, 0, 1)[None])[0].numpy()
            worst = max(worst, float(np.abs(logits - expected[index]).max()))
            agree += int(logits.argmax() == expected[index].argmax())
            index += 1
    if index != len(expected):
        sys.exit(f"the shards hold {index} images, the predictions {len(expected)}")
    print(json.dumps({"images": index, "largestDistance": worst, "sameClass": agree}))
    sys.exit(0 if worst <= options.tolerance else 1)


if __name__ == "__main__":
    main()
