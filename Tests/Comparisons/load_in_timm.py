"""Shows that weights written by vitdist load into timm unchanged and mean the same there.

    vitdist predict --weights F.safetensors --data SHARDS --output OUT.h5
    python Tests/Comparisons/load_in_timm.py --weights F.safetensors \\
        --data SHARD.h5 [SHARD.h5 ...] --predictions OUT.h5

The model and its normalisation come from the file's metadata unless --model gives timm's name. The
shards, raw or encoded, must hold images of the model's own size: then both sides see the same
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
    parser.add_argument("--model", help="timm's name; default: what the weights' metadata says")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--predictions", required=True)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    return parser.parse_args()


def described_model(about):
    """timm's model for the description that vitdist exports with the weights."""
    kind = timm.models.deit.VisionTransformerDistilled if about["distilled"] \
        else timm.models.vision_transformer.VisionTransformer
    arguments = dict(
        img_size=about["imageSize"], patch_size=about["patchSize"], in_chans=about["channels"],
        num_classes=about["classes"], embed_dim=about["width"], depth=about["depth"],
        num_heads=about["heads"], mlp_ratio=about["mlpRatio"],
        act_layer="gelu_tanh" if about.get("gelu") == "tanh" else "gelu")
    if about["pooling"] == "mean":
        arguments["global_pool"] = "avg"
    if not about.get("classToken", True):
        arguments["class_token"] = False
    return kind(**arguments)


def make_model(options, metadata):
    """The model with its weights, its mean and its deviation."""
    state = load_file(options.weights)
    if options.model:
        model = timm.create_model(options.model, num_classes=state["head.weight"].shape[0])
        config = timm.get_pretrained_cfg(options.model)
        mean, std = config.mean, config.std
    else:
        model = described_model(json.loads(metadata["vitdist.model"]))
        mean, std = (map(float, metadata[key].split(",")) for key in ("mean", "std"))
    model.load_state_dict(state, strict=True)
    return model.eval(), np.array([*mean], np.float32), np.array([*std], np.float32)


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


def main():
    options = parse()
    with safe_open(options.weights, "pt") as file:
        metadata = file.metadata() or {}
    if not options.model and "vitdist.model" not in metadata:
        sys.exit(f"{options.weights} does not describe its model: give --model")
    model, mean, std = make_model(options, metadata)
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
