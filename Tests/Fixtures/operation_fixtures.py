"""Operations one by one, forward and backward: operations.json, position-embeddings.json."""

import math

import torch
from torch.nn import functional as F

from timm_oracle import FOLDER, numbers, timm, uniform, write_json


def centred(name, shape, spread=2.0):
    """Counted values in [-spread, spread), with room for a gradient, in float64."""
    values = torch.from_numpy((uniform(name, shape) - 0.5) * 2 * spread)
    return values.double().requires_grad_(True)


def gelu():
    x = torch.tensor([-6, -3, -2.7, -1, -0.5, -1e-3, 0, 1e-3, 0.5, 1, 2.7, 3, 6]).double()
    x.requires_grad_(True)
    content = {"input": numbers(x)}
    for kind, approximate in (("erf", "none"), ("tanh", "tanh")):
        y = F.gelu(x, approximate=approximate)
        content[kind] = numbers(y)
        content[kind + "Derivative"] = numbers(torch.autograd.grad(y.sum(), x)[0])
    return content


def layer_norm():
    x, scale, shift = centred("ln.x", (3, 9)), centred("ln.weight", (9,)), centred("ln.bias", (9,))
    upstream = centred("ln.upstream", (3, 9)).detach()
    y = F.layer_norm(x, (9,), scale, shift, eps=1e-6)
    dx, dscale, dshift = torch.autograd.grad(y, (x, scale, shift), upstream)
    return {"shape": [3, 9], "epsilon": 1e-6, "input": numbers(x), "weight": numbers(scale),
            "bias": numbers(shift), "upstream": numbers(upstream), "output": numbers(y),
            "inputGradient": numbers(dx), "weightGradient": numbers(dscale),
            "biasGradient": numbers(dshift)}


def attention():
    """Rows of qkv are (query | key | value), each of two heads of width four."""
    images, tokens, heads, width = 2, 5, 2, 4
    qkv = centred("attention.qkv", (images, tokens, 3 * heads * width))
    upstream = centred("attention.upstream", (images, tokens, heads * width)).detach()
    q, k, v = qkv.reshape(images, tokens, 3, heads, width).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(width)).softmax(-1)
    y = (weights @ v).transpose(1, 2).reshape(images, tokens, heads * width)
    return {"images": images, "tokens": tokens, "heads": heads, "headWidth": width,
            "qkv": numbers(qkv), "upstream": numbers(upstream), "weights": numbers(weights),
            "output": numbers(y), "qkvGradient": numbers(torch.autograd.grad(y, qkv, upstream)[0])}


def cross_entropy():
    """Targets mix two classes and are smoothed: (1 - s) * mixture + s / classes."""
    rows, classes, smoothing = 4, 7, 0.1
    first, second, weight = [0, 2, 6, 3], [3, 2, 1, 0], [0.7, 1.0, 0.25, 0.5]
    logits = centred("entropy.logits", (rows, classes), spread=4)
    one_hot = torch.eye(classes, dtype=torch.float64)
    lam = torch.tensor(weight, dtype=torch.float64)[:, None]
    mixture = lam * one_hot[first] + (1 - lam) * one_hot[second]
    target = (1 - smoothing) * mixture + smoothing / classes
    losses = F.cross_entropy(logits, target, reduction="none")
    return {"classes": classes, "smoothing": smoothing, "labels": first, "partners": second,
            "weights": weight, "logits": numbers(logits), "losses": numbers(losses),
            "gradientOfSum": numbers(torch.autograd.grad(losses.sum(), logits)[0])}


def distillation():
    """DeiT's soft loss divides by rows * classes; the usual one divides by rows."""
    rows, classes, temperature = 3, 5, 3.0
    student, teacher = centred("kd.student", (rows, classes)), centred("kd.teacher", (rows, classes))
    p = F.log_softmax(student / temperature, 1)
    q = F.log_softmax(teacher.detach() / temperature, 1)
    total = F.kl_div(p, q, reduction="sum", log_target=True) * temperature**2
    return {"rows": rows, "classes": classes, "temperature": temperature,
            "student": numbers(student), "teacher": numbers(teacher), "sum": total.item(),
            "gradientOfSum": numbers(torch.autograd.grad(total, student)[0])}


def sinusoid(positions=6, width=8):
    """PE(p, 2j) = sin(p / 10000^(2j / width)), PE(p, 2j + 1) = cos of the same."""
    angle = torch.arange(positions).double()[:, None] \
        / 10000 ** (torch.arange(0, width, 2).double() / width)
    table = torch.stack([angle.sin(), angle.cos()], 2).reshape(positions, width)
    return {"positions": positions, "width": width, "table": numbers(table)}


def drop_path():
    """Rates of timm's blocks, and what a kept branch is multiplied by."""
    rates = timm.layers.calculate_drop_path_rates(0.1, 12) \
        if hasattr(timm.layers, "calculate_drop_path_rates") \
        else torch.linspace(0, 0.1, 12, dtype=torch.float64).tolist()
    return {"rate": 0.1, "depth": 12, "rates": list(rates), "kept": [1 / (1 - r) for r in rates]}


def position_embeddings():
    """14 x 14 to another grid as timm (a = -0.5, antialiased) and DeiT (a = -0.75) do it."""
    channels = 2
    source = torch.from_numpy(uniform("position.source", (1, 1 + 14 * 14, channels)))
    cases = []
    for side in (24, 7):
        for antialias in (True, False):
            result = timm.layers.resample_abs_pos_embed(
                source, [side, side], [14, 14], num_prefix_tokens=1, antialias=antialias)
            cases.append({"side": side, "antialias": antialias, "values": numbers(result)})
    write_json(FOLDER / "position-embeddings.json", {
        "about": "bicubic interpolation of uniform 'position.source' [1 + 14*14, channels] whose "
                 "first row belongs to the class token and is kept", "channels": channels,
        "cases": cases})


def write():
    write_json(FOLDER / "operations.json", {
        "about": "operations forward and backward, computed in float64 on float32 inputs; "
                 "row-major", "gelu": gelu(), "layerNorm": layer_norm(), "attention": attention(),
        "crossEntropy": cross_entropy(), "distillation": distillation(), "sinusoid": sinusoid(),
        "dropPath": drop_path()})
    position_embeddings()
    print("operations")
