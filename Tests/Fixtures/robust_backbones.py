"""Small RVT and FAN models with counted weights: logits and gradients, robust.NAME.json.

The oracles are rvt_oracle.py and fan_oracle.py. Before anything is written, their full sizes are
counted against the published ones.
"""

import math

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from fan_oracle import FullyAttentionalNetwork
from rvt_oracle import RobustVisionTransformer
from timm_oracle import FOLDER, numbers, uniform, write_json

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGES, CLASSES = 3, 7
STEPS, RATE = 5, 0.01
MODELS = {
    "rvt-stages": (RobustVisionTransformer, dict(
        imageSize=80, widths=[20, 40], heads=[2, 4], depths=[2, 1], classes=CLASSES,
        maskedBlocks=1)),
    "rvt-reasoning": (RobustVisionTransformer, dict(
        imageSize=48, widths=[24], heads=[3], depths=[2], classes=CLASSES, maskedBlocks=2,
        patchReasoning=True, feedForward="plain")),
    "fan-vit": (FullyAttentionalNetwork, dict(
        imageSize=48, width=40, heads=5, depth=2, classes=CLASSES)),
    "fan-hybrid": (FullyAttentionalNetwork, dict(
        imageSize=64, width=24, heads=2, depth=1, classes=CLASSES, stem="convnext",
        stemWidths=[12, 20], stemDepths=[1, 2])),
}
TINY = dict(widths=[192, 384], heads=[6, 12], depths=[10, 2])
NAMED = {
    "rvt_tiny_plus": (RobustVisionTransformer, dict(TINY, maskedBlocks=10)),
    "fan_tiny_8_p4_hybrid": (FullyAttentionalNetwork, dict(
        width=192, heads=8, depth=8, stem="convnext")),
}
PUBLISHED = [
    (RobustVisionTransformer, dict(TINY), 8_646_376),
    (RobustVisionTransformer, dict(TINY, maskedBlocks=10), 10_951_336),
    (RobustVisionTransformer, dict(TINY, maskedBlocks=10, patchReasoning=True), 10_952_008),
    (RobustVisionTransformer, dict(widths=[384], heads=[6], depths=[12], maskedBlocks=5),
     23_300_872),
    (FullyAttentionalNetwork, dict(width=192, heads=4, depth=12), 7_319_920),
    (FullyAttentionalNetwork, dict(width=192, heads=8, depth=8, stem="convnext"), 7_467_240),
    (FullyAttentionalNetwork, dict(width=384, heads=8, depth=10, stem="convnext"), 26_117_944),
]


def counted(name, shape):
    """centre + (u - 1/2) * spread in float32: variances positive, factors near 1, maps that keep
    the size of what they are given."""
    last = name.split(".")[-1]
    if last == "running_var":
        centre, spread = 1, 1
    elif last == "running_mean":
        centre, spread = 0, 0.6
    elif last.startswith("gamma") or last == "temperature" or (
            last == "weight" and len(shape) == 1):
        centre, spread = 1, 0.4
    elif last == "att_mask":
        centre, spread = 0, 4
    elif last == "cls_token":
        centre, spread = 0, 1
    elif last == "bias":
        centre, spread = 0, 0.2
    else:
        centre, spread = 0, 2 * math.sqrt(3 / math.prod(shape[1:]))
    return np.float32(centre) + (uniform(name, shape) - np.float32(0.5)) * np.float32(spread)


def fill(model):
    model.load_state_dict({
        k: v if k.endswith("num_batches_tracked") else torch.from_numpy(counted(k, tuple(v.shape)))
        for k, v in model.state_dict().items()})
    return model.double()


def check_sizes():
    for kind, options, size in PUBLISHED:
        with torch.device("meta"):
            model = kind(imageSize=224, classes=1000, **options)
        found = sum(p.numel() for p in model.parameters())
        assert found == size, f"{kind.__name__} {options} has {found} parameters, not {size}"


def digest(values):
    """Norm and first values: what tells one tensor from another."""
    return {"norm": float(f"{values.norm().item():.9g}"),
            "first": numbers(values.flatten()[:8].float())}


def normalized(pixels):
    mean, deviation = (torch.tensor(v).double()[:, None, None] for v in (MEAN, DEVIATION))
    return (pixels - mean) / deviation


def write_named():
    """Published models at their own size: one image, evaluation mode."""
    for name, (kind, options) in NAMED.items():
        model = fill(kind(imageSize=224, classes=1000, **options)).eval()
        pixels = torch.from_numpy(uniform("images", (1, 3, 224, 224))).double()
        with torch.no_grad():
            logits = model(normalized(pixels))
        write_json(FOLDER / f"robust.{name}.json", {
            "about": "weights by robust_backbones.counted, one image of the counted values "
                     "'images', normalised with ImageNet's mean and deviation; evaluation mode, "
                     "float64 rounded once", "model": name, "logits": numbers(logits)})
        print(name)


def train(kind, options, pixels):
    """Losses of a few steps of SGD, and the running statistics they leave."""
    model = fill(kind(**options)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = cross_entropy(model(normalized(pixels)), torch.arange(IMAGES))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"learningRate": RATE, "momentum": 0.9, "losses": losses,
            "statistics": statistics(model)}


def statistics(model):
    return {n: digest(b) for n, b in model.named_buffers() if not n.endswith("num_batches_tracked")}


def write():
    check_sizes()
    write_named()
    for name, (kind, options) in MODELS.items():
        model = fill(kind(**options))
        side = options["imageSize"]
        pixels = torch.from_numpy(uniform("images", (IMAGES, 3, side, side))).double()
        pixels.requires_grad_(True)
        with torch.no_grad():
            judged = model.eval()(normalized(pixels))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0  # the running values become those of the batch
        trained = model.train()(normalized(pixels))
        cross_entropy(trained, torch.arange(IMAGES)).backward()
        write_json(FOLDER / f"robust.{name}.json", {
            "about": "weights by robust_backbones.counted, images the counted values 'images', "
                     "normalised with ImageNet's mean and deviation; float64 rounded once; the "
                     "loss is the mean cross-entropy with classes 0, 1, 2 in training mode",
            "options": {"kind": "rvt" if kind is RobustVisionTransformer else "fan", **options},
            "images": IMAGES,
            "parameters": sum(p.numel() for p in model.parameters()),
            "evaluationLogits": numbers(judged), "trainingLogits": numbers(trained),
            "pixelGradient": digest(pixels.grad),
            "gradients": {n: digest(p.grad) for n, p in model.named_parameters()},
            "statistics": statistics(model),
            "training": train(kind, options, pixels.detach())})
        print(name)
