"""Tiny models trained for ten steps: gradients, losses and weights of three optimizers.

Computed in float64 and rounded once, so that a comparison sees only the error of the program under
test; PyTorch's own relative distance in float32 stands in `distanceOfFloat32` for every tensor.
"""

import torch
from safetensors.numpy import save_file
from torch.nn.functional import cross_entropy

from timm_oracle import (
    FOLDER, description, fill, labels, make, normalize, numbers, timm, uniform, versions, write_json)

STEPS, BATCH, CLASSES, SMOOTHING = 10, 8, 10, 0.1
UNDECAYED = ("pos_embed", "cls_token", "dist_token")
OPTIMIZERS = {
    "adamw": dict(learningRate=1e-3, weightDecay=0.05, beta1=0.9, beta2=0.999, epsilon=1e-8),
    "sgd": dict(learningRate=0.05, weightDecay=1e-3, momentum=0.9, nesterov=True),
    "lamb": dict(learningRate=1e-2, weightDecay=0.05, beta1=0.9, beta2=0.999, epsilon=1e-6,
                 adaptsUndecayed=False),
}


def batch(index, dtype):
    pixels = torch.from_numpy(uniform(f"batch.{index}.images", (BATCH, 1, 8, 8)))
    truth = torch.tensor(labels(f"batch.{index}.labels", BATCH, CLASSES))
    teacher = torch.tensor(labels(f"batch.{index}.teacher", BATCH, CLASSES))
    return pixels.to(dtype), truth, teacher


def supervised(model, name, pixels, truth, teacher):
    return cross_entropy(model(normalize(pixels, name)), truth, label_smoothing=SMOOTHING)


def hard_distillation(model, name, pixels, truth, teacher):
    model.set_distilled_training(True)
    classes, distilled = model.train()(normalize(pixels, name))
    return 0.5 * cross_entropy(classes, truth, label_smoothing=SMOOTHING) \
        + 0.5 * cross_entropy(distilled, teacher)


def groups(model, decay):
    """DeiT's rule: no decay for vectors, biases, position embeddings and tokens."""
    def undecayed(item):
        name, value = item
        return value.ndim == 1 or name.endswith(".bias") or name in UNDECAYED
    named = list(model.named_parameters())
    return [
        {"params": [v for n, v in named if undecayed((n, v))], "weight_decay": 0.0},
        {"params": [v for n, v in named if not undecayed((n, v))], "weight_decay": decay}]


def make_optimizer(kind, model):
    o = OPTIMIZERS[kind]
    parts = groups(model, o["weightDecay"])
    if kind == "sgd":
        return torch.optim.SGD(parts, lr=o["learningRate"], momentum=0.9, nesterov=True)
    common = dict(lr=o["learningRate"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"])
    if kind == "adamw":
        return torch.optim.AdamW(parts, **common)
    return timm.optim.Lamb(parts, max_grad_norm=None, always_adapt=False, **common)


def train(name, objective, kind, dtype):
    model = fill(make(name)).to(dtype)
    optimizer = make_optimizer(kind, model)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = objective(model, name, *batch(step, dtype))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {n: v.detach() for n, v in model.named_parameters()}


def gradients(name, objective, dtype):
    model = fill(make(name)).to(dtype)
    pixels, truth, teacher = batch(0, dtype)
    pixels.requires_grad_(True)
    loss = objective(model, name, pixels, truth, teacher)
    loss.backward()
    return loss.item(), pixels.grad, {n: v.grad for n, v in model.named_parameters()}


def distance(exact, rounded):
    """Relative L2 distance of every tensor.

    The bias of the keys is left out: softmax does not see it, so its gradient is rounding noise,
    which an adaptive optimizer scales up to steps of full size in any precision.
    """
    result = {}
    for name, value in exact.items():
        error, size = rounded[name].double() - value, value
        if name.endswith("qkv.bias"):
            error, size = (torch.cat([v.chunk(3)[0], v.chunk(3)[2]]) for v in (error, size))
        error, size = error.norm().item(), size.norm().item()
        result[name] = float(f"{error / size:.2g}")
    return result


def save(path, tensors, about):
    metadata = {"about": about, **{k: str(v) for k, v in versions().items()}}
    save_file({n: v.detach().float().numpy() for n, v in tensors.items()}, path, metadata)


def write_model(name, objective, kinds):
    model = fill(make(name))
    with torch.no_grad():
        logits = model.double()(normalize(batch(0, torch.float64)[0], name))
    loss, pixel_gradient, exact = gradients(name, objective, torch.float64)
    single = gradients(name, objective, torch.float32)[2]
    save(FOLDER / f"{name}.gradients.safetensors", exact, f"gradients of {name}, batch 0")
    content = {
        "about": f"{objective.__name__} training of {name} on batches 'batch.K.images' (counted "
                 "values in [0, 1), then (x - mean) / std), 'batch.K.labels', 'batch.K.teacher'; "
                 "mean over the batch; computed in float64",
        "model": description(model, name), "objective": objective.__name__, "batch": BATCH,
        "labelSmoothing": SMOOTHING, "labels": batch(0, torch.float32)[1].tolist(),
        "teacher": batch(0, torch.float32)[2].tolist(), "logits": numbers(logits), "loss": loss,
        "pixelGradient": numbers(pixel_gradient),
        "distanceOfFloat32": {"gradients": distance(exact, single)}}
    for kind in kinds:
        losses, weights = train(name, objective, kind, torch.float64)
        content[kind] = {**OPTIMIZERS[kind], "losses": losses}
        single = train(name, objective, kind, torch.float32)[1]
        content["distanceOfFloat32"][kind] = distance(weights, single)
        save(FOLDER / f"{name}.{kind}.safetensors", weights, f"{name} after {STEPS} {kind} steps")
    write_json(FOLDER / f"{name}.json", content)
    print(name)


def write():
    start = fill(make("vit-unit-cls"))
    save(FOLDER / "vit-unit-cls.weights.safetensors", dict(start.named_parameters()),
         "weights of vit-unit-cls at the start, equal to the counted values")
    write_model("vit-unit-cls", supervised, ["adamw", "sgd", "lamb"])
    write_model("vit-unit-mean", supervised, ["adamw"])
    write_model("vit-unit-distilled", hard_distillation, ["adamw"])
