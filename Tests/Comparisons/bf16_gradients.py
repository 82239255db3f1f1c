"""How far gradients in bfloat16 are from those in single precision, in vitdist and in PyTorch.

    vitdist train --config Configs/cifar10/micro.yaml --set epochs=2 --output runs/early
    python Tests/Comparisons/bf16_gradients.py --config Configs/cifar10/micro.yaml \\
        --weights runs/early/final.safetensors --data FOLDER

The gradient of the mean loss over all images of a folder of shards, of the model's own size and not
augmented: in vitdist the difference that one step of plain gradient descent makes to the weights,
in PyTorch backward passes of timm's model, for bf16 under autocast. A deviation is the norm of the
difference from single precision over the norm of the gradient, all parameters together. The sides'
gradients in single precision must agree, or the comparison means nothing: exits with 1 if they do
not. Rounding of weights, the same on both sides, is the greater part of either deviation;
--rounded takes it away by starting from weights that are rounded already.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
from load_in_timm import images, make_model
from safetensors import safe_open
from safetensors.torch import load_file, save_file

BATCH = 250


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="a folder of shards")
    parser.add_argument("--rounded", action="store_true")
    parser.add_argument("--vitdist", default=".build/release/vitdist")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    return parser.parse_args()


def shards(folder):
    return sorted(folder.glob("*.h5"))


def labels(folder):
    def read(path):
        with h5py.File(path) as shard:
            return shard["labels"][:].astype(np.int64)
    return np.concatenate([read(path) for path in shards(folder)])


def ours(options, weights, precision, folder):
    """Gradients by name."""
    output = folder / precision
    settings = {
        "precision": precision, "data.train": options.data, "data.validation": '""', "epochs": 1,
        "data.augmentation.crop.kind": "none", "data.augmentation.horizontalFlip": 0,
        "batch.size": len(labels(options.data)), "optimizer.kind": "sgd", "optimizer.momentum": 0,
        "optimizer.learningRate": 1, "optimizer.weightDecay": 0, "schedule.kind": "constant",
        "schedule.warmupEpochs": 0, "clipping.maximumNorm": 0, "initialization.weights": weights}
    command = [options.vitdist, "train", "--config", options.config, "--output", str(output)]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    before, after = load_file(weights), load_file(output / "final.safetensors")
    return {name: (before[name].double() - after[name].double()) for name in before}


def theirs(options, weights, precision):
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    model, mean, std = make_model(argparse.Namespace(weights=weights, model=None), metadata)
    pixels = np.stack([
        (image.astype(np.float32) / 255 - mean) / std
        for shard in shards(options.data) for image in images(shard)])
    inputs = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    classes = torch.from_numpy(labels(options.data))
    for first in range(0, len(inputs), BATCH):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = model(inputs[first:first + BATCH])
        loss = torch.nn.functional.cross_entropy(
            logits.float(), classes[first:first + BATCH], reduction="sum")
        (loss / len(inputs)).backward()
    return {name: parameter.grad.double() for name, parameter in model.named_parameters()}


def deviation(gradients, reference):
    def squares(tensors):
        return sum(float(tensor.square().sum()) for tensor in tensors)
    differences = (gradients[name] - reference[name] for name in reference)
    return (squares(differences) / squares(reference.values())) ** 0.5


def rounded(weights, path):
    """The same weights, those that products take rounded to bfloat16."""
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    state = {
        name: value.bfloat16().float() if value.dim() > 1 and not name.startswith("head") else value
        for name, value in load_file(weights).items()}
    save_file(state, path, metadata)
    return str(path)


def main():
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        weights = options.weights
        if options.rounded:
            weights = rounded(weights, folder / "rounded.safetensors")
        our_single = ours(options, weights, "f32", folder)
        their_single = theirs(options, weights, "f32")
        apart = deviation(our_single, their_single)
        print(json.dumps({
            "vitdist bf16": round(deviation(ours(options, weights, "bf16", folder), our_single), 5),
            "PyTorch bf16": round(deviation(theirs(options, weights, "bf16"), their_single), 5),
            "f32, vitdist from PyTorch": float(f"{apart:.2g}")}))
    sys.exit(0 if apart <= options.tolerance else 1)


if __name__ == "__main__":
    main()
