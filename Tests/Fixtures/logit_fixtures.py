"""Logits of timm's models under counted weights and images: logits.NAME.json."""

import numpy as np
import torch

from timm_oracle import (
    FOLDER, description, fill, make, normalize, numbers, uniform, write_json)

NAMES = [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224",
    "deit_tiny_distilled_patch16_224", "odd-mean"]
IMAGES = 2


def write():
    for name in NAMES:
        model = fill(make(name))
        about = description(model, name)
        side = about["imageSize"]
        pixels = torch.from_numpy(uniform("images", (IMAGES, about["channels"], side, side)))
        inputs = normalize(pixels, name)
        with torch.no_grad():
            logits = model(inputs)
            exact = model.double()(inputs.double())
        write_json(FOLDER / f"logits.{name}.json", {
            "about": "weights and images are counted values (timm_oracle.parameter, uniform "
                     "'images' in [0, 1), then (x - mean) / std); evaluation mode; the first "
                     "image's logits in full, sixteen of the others, and sums over all classes",
            "model": about,
            "images": IMAGES,
            "logits": numbers(logits[0]),
            "otherLogits": [numbers(row[:16]) for row in logits[1:]],
            "sums": numbers(exact.sum(1)),
            "sumsOfSquares": numbers(exact.square().sum(1)),
            "distanceOfTimmFromFloat64": float(np.abs(logits.double() - exact).max())})
        print(name)
