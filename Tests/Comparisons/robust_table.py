"""Prints what `Launch/robust-table` measured, as a Markdown table: mean and spread over the seeds.

    python Tests/Comparisons/robust_table.py OUTPUT

Rates are per cent; the spread is the standard deviation over the seeds, absent for one seed.
"""

import collections
import json
import math
import pathlib
import statistics
import sys

COLUMNS = [
    ("clean", lambda r: 100 * r["accuracy"]),
    ("PGD-20 1/255", lambda r: robust(r, "pgd", 1 / 255)),
    ("PGD-20 4/255", lambda r: robust(r, "pgd", 4 / 255)),
    ("PGD-20 8/255", lambda r: robust(r, "pgd", 8 / 255)),
    ("norm needed, l2", lambda r: median(r, "deepfool")),
    ("occluded, drawn", lambda r: robust(r, "occlusion", 1, "random")),
    ("occluded, chosen", lambda r: robust(r, "occlusion", 1, "gradient")),
    ("Hoyer", lambda r: mean(layer["hoyer"] for layer in r["attention"]["layers"])),
    ("stability", lambda r: mean(layer["stability"] for layer in r["attention"]["layers"])),
]

RATES = {name for name, _ in COLUMNS} - {"Hoyer", "stability", "norm needed, l2"}


def mean(values):
    return statistics.fmean(list(values))


def robust(report, kind, epsilon, selection=None):
    """Accuracy in per cent under the attack of that kind, radius and selection."""
    for attack in report["robustness"]["attacks"]:
        options = attack["attack"]
        # An attack without a bound has no radius.
        if options["kind"] != kind or abs(attack.get("epsilon", math.inf) - epsilon) > 1e-4:
            continue
        if selection in (None, options.get("selection")):
            rate = attack["robustAccuracy"]
            return 100 * rate["hits"] / rate["of"]
    raise KeyError(f"{kind} at {epsilon}")


def median(report, kind):
    """Median length of the changes that fooled, of the attack of that kind."""
    attacks = report["robustness"]["attacks"]
    attack = next(attack for attack in attacks if attack["attack"]["kind"] == kind)
    return attack["fooled"]["median"][attack["norm"]]


def cell(values, digits):
    text = f"{mean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {statistics.stdev(values):.{digits}f}"


def main():
    runs = collections.defaultdict(list)
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*-s*/robust.json")):
        runs[path.parent.name.rsplit("-s", 1)[0]].append(json.loads(path.read_text()))
    print("| config | seeds | " + " | ".join(name for name, _ in COLUMNS) + " |")
    print("| --- " * (2 + len(COLUMNS)) + "|")
    for config, reports in runs.items():
        cells = [
            cell([value(report) for report in reports], 1 if name in RATES else 3)
            for name, value in COLUMNS
        ]
        print(f"| {config} | {len(reports)} | " + " | ".join(cells) + " |")


main()
