"""What every fixture and comparison shares: numbers that Swift can make again, and timm's models.

Values come from the project's own counter-based generator (Sources/Tensors/RandomKey.swift), so
that no weights need to be stored: element i of a tensor is a function of (seed, name, i).
"""

import json
import math
import pathlib
import platform
import sys
import types

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent
SEED = 7
INITIALIZATION = 30  # Purpose.initialization
GAMMA = np.uint64(0x9E3779B97F4A7C15)
torch.set_num_threads(1)


def mix(z):
    """SplitMix64's finaliser on an array of uint64 (wraps around by definition)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def stream(words, count):
    """Elements 0 ..< count of the stream whose key folds these six words."""
    state = np.zeros(1, np.uint64)
    for word in words:
        state = mix(state + GAMMA + np.uint64(word))
    return mix(state + np.arange(1, count + 1, dtype=np.uint64) * GAMMA)


def bits(name, count, seed=SEED):
    """Elements 0 ..< count of RandomKey(seed: seed, .initialization, name: name)."""
    return stream((seed, INITIALIZATION, 0, fnv1a(name), 0, 0), count)


def check_generator():
    """The documented value of RandomKey(seed: 42, .crop, epoch: 3, sample: 7).uniform(0)."""
    first = int(stream((42, 21, 3, 7, 0, 0), 1)[0]) >> 11
    assert first * 2.0**-53 == 0.8065065986117985, "this generator is not the project's"


def uniform(name, shape, seed=SEED):
    """float32 in [0, 1), equal to uniformFloat(i) in row-major order."""
    count = math.prod(shape)
    values = (bits(name, count, seed) >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)
    return values.reshape(shape)


def labels(name, count, classes, seed=SEED):
    """Integers in 0 ..< classes, equal to below(classes, i)."""
    return [int(b) * classes >> 64 for b in bits(name, count, seed)]


def amplitude(name, shape):
    """Largest distance of a parameter from its centre: activations keep their size with depth."""
    if name in ("pos_embed", "cls_token", "dist_token"):
        return 0.5
    if name.endswith(".bias"):
        return 0.1
    if "norm" in name:
        return 0.2
    return math.sqrt(3 / math.prod(shape[1:]))  # variance 1 / inputs


def parameter(name, shape, seed=SEED):
    """centre + (u - 1/2) * 2 amplitude, each step rounded to float32; norms are centred at 1."""
    centre = np.float32(1 if "norm" in name and name.endswith(".weight") else 0)
    spread = np.float32(2 * amplitude(name, shape))
    return centre + (uniform(name, shape, seed) - np.float32(0.5)) * spread


def fill(model, seed=SEED):
    """Gives every parameter of a model its counted values."""
    state = {k: torch.from_numpy(parameter(k, tuple(v.shape), seed))
             for k, v in model.state_dict().items()}
    model.load_state_dict(state, strict=True)
    return model.eval()


def import_timm():
    """timm, also where torchvision's operators do not load (built for another device)."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        name = "torchvision._meta_registrations"
        sys.modules[name] = types.ModuleType(name)  # registers shapes of the missing operators
    import timm.optim
    import timm.scheduler
    return timm


timm = import_timm()

# Square pictures of any side; timm's own names stand for themselves.
CUSTOM = {
    "odd-mean": dict(
        img_size=96, patch_size=8, in_chans=3, num_classes=37, embed_dim=160, depth=3, num_heads=5,
        mlp_ratio=3, global_pool="avg"),
    "vit-unit-cls": dict(
        img_size=8, patch_size=2, in_chans=1, num_classes=10, embed_dim=32, depth=2, num_heads=2,
        mlp_ratio=2),
    "vit-unit-mean": dict(
        img_size=8, patch_size=2, in_chans=1, num_classes=10, embed_dim=32, depth=2, num_heads=2,
        mlp_ratio=2, global_pool="avg"),
    "vit-unit-distilled": dict(
        img_size=8, patch_size=2, in_chans=1, num_classes=10, embed_dim=32, depth=2, num_heads=2,
        mlp_ratio=2),
}


def make(name, **changes):
    """A model by timm's name or by a name of CUSTOM, with timm's own initial values."""
    if name not in CUSTOM:
        return timm.create_model(name, pretrained=False, **changes)
    kind = timm.models.deit.VisionTransformerDistilled if "distilled" in name \
        else timm.models.vision_transformer.VisionTransformer
    return kind(**{**CUSTOM[name], **changes})


def normalization(name):
    """Mean and deviation per channel that belong to a model's weights."""
    if name == "odd-mean":
        return [0.4, 0.5, 0.6], [0.25, 0.3, 0.35]
    if name in CUSTOM:
        return [0.5], [0.25]
    config = timm.get_pretrained_cfg(name)
    return list(config.mean), list(config.std)


def normalize(pixels, name):
    mean, std = (torch.tensor(v).reshape(1, -1, 1, 1) for v in normalization(name))
    return (pixels - mean) / std


def description(model, name):
    mean, std = normalization(name)
    return {
        "model": name, "imageSize": model.patch_embed.img_size[0],
        "patchSize": model.patch_embed.patch_size[0],
        "channels": model.patch_embed.proj.in_channels, "width": model.embed_dim,
        "depth": len(model.blocks), "heads": model.blocks[0].attn.num_heads,
        "hidden": model.blocks[0].mlp.fc1.out_features, "classes": model.num_classes,
        "pooling": "mean" if model.global_pool == "avg" else "class",
        "distilled": hasattr(model, "dist_token"),
        "parameters": sum(p.numel() for p in model.parameters()), "mean": mean, "std": std}


def versions():
    return {"python": platform.python_version(), "numpy": np.__version__,
            "torch": torch.__version__, "timm": timm.__version__, "seed": SEED}


def numbers(values):
    """Nine digits give every float32 back exactly."""
    array = values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    return [float(f"{v:.9g}") for v in array.reshape(-1).tolist()]


def write_json(path, content):
    """One key a line: readable, and short differences between versions."""
    body = {"about": content.pop("about"), "versions": versions(), **content}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in body.items())
    path.write_text("{\n" + lines + "\n}\n")


def write_examples():
    """A few counted values of every kind, against which the Swift side is tested."""
    shapes = {"pos_embed": (1, 2, 3), "norm.weight": (5,), "norm.bias": (5,), "head.bias": (4,),
              "head.weight": (2, 3), "patch_embed.proj.weight": (2, 1, 2, 2)}
    write_json(FOLDER / "counted-values.json", {
        "about": "examples of counted values", "uniform": numbers(uniform("images", (6,))),
        "labels": labels("batch.0.labels", 8, 10),
        "parameters": {n: {"shape": s, "values": numbers(parameter(n, s))}
                       for n, s in shapes.items()}})
    print("counted")
