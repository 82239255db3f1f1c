"""What foolbox and torchattacks make of a tiny transformer with counted weights.

Images are the counted stream 'images'; labels are what the model says of them, so that every image
is attacked.
"""

import foolbox
import torch
import torchattacks

from timm_oracle import (
    FOLDER, description, fill, make, normalization, normalize, numbers, uniform, write_json)

NAME, COUNT = "vit-unit-cls", 64
LINF = dict(epsilon=0.02, stepSize=0.005, steps=10)
L2 = dict(epsilon=0.15, stepSize=0.03, steps=10)


class Normalized(torch.nn.Module):
    """The model with its normalisation inside: pixels in, logits out."""

    def __init__(self):
        super().__init__()
        self.model = fill(make(NAME))

    def forward(self, pixels):
        return self.model(normalize(pixels, NAME))


def attacks(victim):
    """Options as a config spells them, and the library's call."""
    mean, std = normalization(NAME)
    framed = foolbox.PyTorchModel(
        victim.model, bounds=(0, 1), device="cpu", preprocessing=dict(mean=mean, std=std, axis=-3))

    def by_foolbox(attack, *epsilon):
        bound = dict(zip(("epsilon",), epsilon))
        return lambda x, y: attack.run(framed, x, y, **bound)

    fb, e, a, n = foolbox.attacks, LINF["epsilon"], LINF["stepSize"], LINF["steps"]
    last = "start: clean, iterate: lastIterate"
    steps = f"epsilon: {e}, stepSize: {a}, steps: {n}"
    e2, a2 = L2["epsilon"], L2["stepSize"]
    return [
        (f"{{kind: fgsm, epsilon: {e}}}", "foolbox LinfFastGradientAttack",
         by_foolbox(fb.LinfFastGradientAttack(), e)),
        (f"{{kind: fgm, epsilon: {e2}}}", "foolbox L2FastGradientAttack",
         by_foolbox(fb.L2FastGradientAttack(), e2)),
        (f"{{kind: bim, {steps}}}", "torchattacks BIM",
         torchattacks.BIM(victim, eps=e, alpha=a, steps=n)),
        (f"{{kind: pgd, {steps}, {last}}}", "foolbox LinfPGD",
         by_foolbox(fb.LinfPGD(abs_stepsize=a, steps=n, random_start=False), e)),
        (f"{{kind: pgd, norm: l2, epsilon: {e2}, stepSize: {a2}, steps: {n}, {last}}}",
         "foolbox L2PGD", by_foolbox(fb.L2PGD(abs_stepsize=a2, steps=n, random_start=False), e2)),
        (f"{{kind: mi-fgsm, {steps}}}", "torchattacks MIFGSM",
         torchattacks.MIFGSM(victim, eps=e, alpha=a, steps=n, decay=1.0)),
        (f"{{kind: mi-fgsm, {steps}, variant: momentumOfSigns}}",
         "foolbox LinfMomentumIterativeFastGradientMethod",
         by_foolbox(fb.LinfMomentumIterativeFastGradientMethod(
             momentum=1.0, abs_stepsize=a, steps=n, random_start=False), e)),
        ("{kind: deepfool}", "foolbox L2DeepFoolAttack",
         by_foolbox(fb.L2DeepFoolAttack())),
        ("{kind: deepfool, norm: linf}", "foolbox LinfDeepFoolAttack",
         by_foolbox(fb.LinfDeepFoolAttack())),
    ]


def result(options, oracle, call, victim, images, labels):
    attacked = call(images, labels).detach()
    with torch.no_grad():
        logits = victim(attacked)
    delta = (attacked - images).double().flatten(1)
    return {
        "attack": options, "oracle": oracle, "predictions": logits.argmax(1).tolist(),
        "l1": numbers_of(delta.abs().sum(1)), "l2": numbers_of(delta.norm(dim=1)),
        "linf": numbers_of(delta.abs().amax(1)), "first": numbers(attacked[0])}


def numbers_of(values):
    """Six digits: what a comparison of norms needs."""
    return [float(f"{v:.6g}") for v in values.tolist()]


def write():
    victim = Normalized().eval()
    images = torch.from_numpy(uniform("images", (COUNT, 1, 8, 8)))
    with torch.no_grad():
        labels = victim(images).argmax(1)
    results = [result(*entry, victim, images, labels) for entry in attacks(victim)]
    write_json(FOLDER / "attacks.vit-unit-cls.json", {
        "about": "attacks on vit-unit-cls with counted weights; float32",
        "foolbox": foolbox.__version__, "torchattacks": torchattacks.__version__,
        "model": description(victim.model, NAME), "images": COUNT, "labels": labels.tolist(),
        "attacks": results})
    print("attacks")
