"""Learning rates of timm's cosine schedule and the AdamW example of two steps: schedules.json."""

import torch

from timm_oracle import FOLDER, timm, write_json


def cosine():
    parameter = torch.nn.Parameter(torch.zeros(1))
    scheduler = timm.scheduler.CosineLRScheduler(
        torch.optim.SGD([parameter], lr=1e-3), t_initial=300, lr_min=1e-5, warmup_t=5,
        warmup_lr_init=1e-6)
    return {str(t): scheduler._get_lr(t)[0] for t in (0, 1, 4, 5, 10, 100, 150, 299, 300)}


def adamw():
    value = torch.nn.Parameter(torch.tensor([1, -2, 0.5], dtype=torch.float64))
    optimizer = torch.optim.AdamW([value], lr=1e-3, weight_decay=0.05)
    gradients, values = [[0.1, -0.2, 0.0], [0.05, 0.3, -0.4]], []
    for gradient in gradients:
        value.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        values.append(value.tolist())
    return {"start": [1, -2, 0.5], "gradients": gradients, "values": values}


def write():
    write_json(FOLDER / "schedules.json", {
        "about": "timm's cosine (base 1e-3, floor 1e-5, 300 epochs, 5 of warm-up from 1e-6 inside "
                 "them) by epoch; AdamW (1e-3, decay 0.05) on three values, two steps",
        "cosine": cosine(), "adamw": adamw()})
    print("schedules")
