"""Golden values for OptimizersTests: torch and timm optimizers on two small tensors.

Run: python generate.py > optimizers.json
"""
import importlib.metadata
import importlib.util
import json
import pathlib
import sys
import types

import torch

# timm's optimizers need nothing but torch; its package imports torchvision, which may not fit.
root = pathlib.Path(importlib.util.find_spec("timm").origin).parent
for name, folder in (("timm", root), ("timm.optim", root / "optim")):
  sys.modules[name] = types.ModuleType(name)
  sys.modules[name].__path__ = [str(folder)]
from timm.optim.lamb import Lamb  # noqa: E402

STEPS = 4
torch.manual_seed(7)
weight = torch.randn(5, 7)
bias = torch.randn(9)
gradients = [(torch.randn(5, 7), torch.randn(9)) for _ in range(STEPS)]
gradients[0][1][2] = 0


def run(make):
  w = torch.nn.Parameter(weight.clone())
  b = torch.nn.Parameter(bias.clone())
  optimizer = make(w, b)
  trace = []
  for gw, gb in gradients:
    w.grad, b.grad = gw.clone(), gb.clone()
    optimizer.step()
    trace.append({"weight": w.detach().flatten().tolist(), "bias": b.detach().tolist()})
  return trace


def groups(w, b, decay):
  return [{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}]


def rounded(value):
  """Nine significant digits: enough to name a float32."""
  if isinstance(value, float):
    return float(f"{value:.9g}")
  if isinstance(value, list):
    return [rounded(item) for item in value]
  return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


print(json.dumps(rounded({
  "tools": {"torch": torch.__version__, "timm": importlib.metadata.version("timm")}, "seed": 7,
  "weight": weight.flatten().tolist(), "bias": bias.tolist(),
  "gradients": [{"weight": w.flatten().tolist(), "bias": b.tolist()} for w, b in gradients],
  "adamw": run(lambda w, b: torch.optim.AdamW(groups(w, b, 0.05), lr=1e-2)),
  "sgd": run(lambda w, b: torch.optim.SGD(groups(w, b, 0.01), lr=0.1, momentum=0.9)),
  "nesterov": run(
    lambda w, b: torch.optim.SGD(groups(w, b, 0.01), lr=0.1, momentum=0.9, nesterov=True)),
  "plain": run(lambda w, b: torch.optim.SGD(groups(w, b, 0.01), lr=0.1)),
  "lamb": run(lambda w, b: Lamb(groups(w, b, 0.02), lr=0.01, max_grad_norm=None)),
}), separators=(",", ":")))
