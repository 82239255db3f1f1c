"""Shows that foolbox leaves the same images standing as vitdist, on weights that vitdist exported.

    vitdist evaluate --weights F.safetensors --data SHARDS --attack-samples 500 --json S.json \\
        --attack fgsm --attack fgm --attack bim --attack pgd:start=clean,iterate=lastIterate ...
    python Tests/Comparisons/foolbox_attacks.py --weights F.safetensors \\
        --data SHARD.h5 [SHARD.h5 ...] --scores S.json

Replays every attack of the scores that foolbox has too (no random starts, one restart, the last
iterate) on the same images, and prints how many stay right. Exits with 1 if the counts differ by
more than --tolerance images: signs of gradients next to nothing may turn with the rounding.
"""

import argparse
import json
import sys

import foolbox
import h5py
import numpy as np
import torch
from safetensors import safe_open

from load_in_timm import images, make_model


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="timm's name; default: what the weights' metadata says")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--scores", required=True)
    parser.add_argument("--tolerance", type=int, default=2)
    return parser.parse_args()


def subset(options, count):
    """Evenly spaced images as vitdist takes them, [count, channels, side, side], and labels."""
    pixels = [image for path in options.data for image in images(path)]
    labels = np.concatenate([h5py.File(path)["labels"][:] for path in options.data])
    places = [i * len(pixels) // count for i in range(count)]
    stacked = np.stack([pixels[i] for i in places]).astype(np.float32) / 255
    return torch.from_numpy(stacked).permute(0, 3, 1, 2), torch.from_numpy(labels[places])


def step_size(options, norm, epsilon):
    if options["stepSize"] == "auto":
        if options["kind"] == "mi-fgsm":
            return epsilon / options["steps"]
        return epsilon / 4 if norm == "linf" else 2.5 * epsilon / options["steps"]
    above, _, below = str(options["stepSize"]).partition("/")
    return float(above) / float(below or 1)


def replay(report):
    """foolbox's attack of the same name, or None if it has none that is equal."""
    options, norm = report["attack"], report["norm"]
    kind, last = options["kind"], options.get("iterate", "lastIterate") == "lastIterate"
    if options.get("target", "none") != "none" or options.get("loss", "") in ("margin", "dlr"):
        return None
    if kind == "fgsm":
        return foolbox.attacks.LinfFastGradientAttack()
    if kind == "fgm":
        return foolbox.attacks.L2FastGradientAttack()
    if kind == "deepfool" and options["epsilon"] == "auto":
        family = (
            foolbox.attacks.LinfDeepFoolAttack if norm == "linf"
            else foolbox.attacks.L2DeepFoolAttack)
        return family(
            steps=options["steps"], candidates=options["candidates"] or None,
            overshoot=options["overshoot"])
    if not last or options.get("start", "clean") != "clean" or options.get("restarts", 1) != 1:
        return None
    if kind not in ("bim", "pgd", "mi-fgsm"):
        return None
    common = dict(
        abs_stepsize=step_size(options, norm, report["epsilon"]), steps=options["steps"],
        random_start=False)
    if kind != "mi-fgsm":
        family = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
        return family(**common)
    if options["variant"] != "momentumOfSigns" or norm != "linf":
        return None
    return foolbox.attacks.LinfMomentumIterativeFastGradientMethod(
        momentum=options["decay"], **common)


def main():
    options = parse()
    with open(options.scores) as file:
        scores = json.load(file)["robustness"]
    with safe_open(options.weights, "pt") as file:
        model, mean, std = make_model(options, file.metadata() or {})
    pixels, labels = subset(options, scores["samples"])
    framed = foolbox.PyTorchModel(
        model, bounds=(0, 1), device="cpu", preprocessing=dict(mean=mean, std=std, axis=-3))
    right = framed(pixels).argmax(1) == labels
    print(f"clean: vitdist {scores['cleanAccuracy']['hits']}, foolbox {int(right.sum())}")
    worst = abs(scores["cleanAccuracy"]["hits"] - int(right.sum()))
    for report in scores["attacks"]:
        attack, name = replay(report), json.dumps(report["attack"])
        if attack is None:
            print(f"not in foolbox: {name}")
            continue
        is_minimal = isinstance(attack, foolbox.attacks.base.MinimizationAttack)
        bound = {} if is_minimal else {"epsilon": report["epsilon"]}
        attacked = attack.run(framed, pixels[right], labels[right], **bound)
        standing = int((framed(attacked).argmax(1) == labels[right]).sum())
        print(f"vitdist {report['robustAccuracy']['hits']}, foolbox {standing}: {name}")
        if is_minimal:
            change = (attacked - pixels[right]).flatten(1)
            median = change.norm(dim=1, p=2 if report["norm"] == "l2" else np.inf).median()
            print(f"  median change {report['fooled']['median'][report['norm']]:.5f}, {median:.5f}")
        worst = max(worst, abs(standing - report["robustAccuracy"]["hits"]))
    print(f"largest difference: {worst} of {scores['samples']} images")
    sys.exit(1 if worst > options.tolerance else 0)


if __name__ == "__main__":
    main()
