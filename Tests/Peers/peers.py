"""Times vitdist and its peers turn by turn on the same work, and prints the ratios.

    python -m venv ~/peers
    ~/peers/bin/pip install -r Tests/Peers/requirements.txt
    ~/peers/bin/python Tests/Peers/peers.py all --json peers.json
    ~/peers/bin/python Tests/Peers/peers.py step --model deit_small_patch16_224 --precision bf16
    ~/peers/bin/python Tests/Peers/peers.py all --quick

The works:
  step         forward, cross-entropy, backward, AdamW: `vitdist bench step`, PyTorch and timm
  adversarial  a training step on examples of PGD-3; not part of all
  attack       examples of PGD-10: `bench attack` against torchattacks
  evaluate     forward passes: `bench evaluate`
  data         JPEG to pixels on one core: `bench data` against torchvision and others
  shards       raw HDF5 shards to pixels on one core: against h5py
  memory       peak resident set of a training step
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import tempfile
import time

from table import SUMMARY, detail, summary
from turns import ROOT
from works import Bench

TINY, SMALL, BASE = (f"deit_{size}_patch16_224" for size in ("tiny", "small", "base"))


@dataclasses.dataclass
class Case:
    """One work of a run."""

    work: str
    # For data: the recipe.
    model: str = TINY
    precision: str = "f32"
    cores: int = 1
    batch: int = 32
    rounds: int = 3
    # Repetitions in a turn, and ahead of the first.
    steps: int = 1
    warmup: int = 1

    def with_work(self, work):
        return dataclasses.replace(self, work=work)

    def __str__(self):
        if self.work == "data":
            return f"data: JPEG, {self.model}"
        if self.work == "shards":
            return "data: raw shards, 32 px"
        cores = f"{self.cores} core" + "s" * (self.cores > 1)
        return f"{self.work}: {self.model}, batch {self.batch}, {self.precision}, {cores}"


ADVERSARIAL = Case("adversarial", TINY, batch=16)


def plan(cores):
    """What `all` does, in about a quarter of an hour once torch.compile's cache is filled."""
    many = max(2, min(cores, 2))
    cases = [Case("step", TINY, precision, count, steps=2)
             for precision in ("f32", "bf16") for count in (1, many)]
    cases += [Case("step", SMALL, "f32", batch=16), Case("step", SMALL, "bf16", batch=16),
              Case("step", SMALL, "f32", many, batch=16),
              Case("step", "cifar", "f32", batch=256), Case("step", "cifar", "bf16", batch=256)]
    cases += [Case("attack", TINY, precision, batch=8) for precision in ("f32", "bf16")]
    cases += [Case("evaluate", SMALL, precision) for precision in ("f32", "bf16")]
    cases += [Case("data", recipe, rounds=5, steps=2) for recipe in ("crop", "randaugment")]
    return cases + [Case("shards", rounds=5, steps=10), Case("memory", BASE, cores=many, warmup=2)]


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    works = ["step", "adversarial", "attack", "evaluate", "data", "shards", "memory"]
    parser.add_argument("work", choices=["all", *works], help="all, or one of the works above")
    parser.add_argument("--model", help="timm's name or cifar; for data: crop or randaugment")
    parser.add_argument("--precision", choices=["f32", "bf16"])
    parser.add_argument("--cores", type=int)
    parser.add_argument("--batch", type=int, help="images; cifar has always 256")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--steps", type=int, help="of a turn")
    parser.add_argument("--quick", action="store_true",
                        help="one round of one step and no torch.compile: does it all work?")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--vitdist", help="the program; VITDIST_BINARY or the release build",
                        default=os.environ.get("VITDIST_BINARY", ROOT / ".build/release/vitdist"))
    parser.add_argument("--ours", default="", help="more options for vitdist's benchmark")
    parser.add_argument("--simd-python", help="an interpreter that has Pillow-SIMD")
    parser.add_argument("--data", type=pathlib.Path, help="the folder of real images",
                        default=os.environ.get("VITDIST_DATA", ROOT / "../shared/data"))
    parser.add_argument("--cache", type=pathlib.Path, help="of torch.compile",
                        default=pathlib.Path.home() / ".cache/vitdist-peers")
    parser.add_argument("--json", help="write all figures to this file")
    return parser.parse_args()


def cases(options):
    if options.work == "all":
        chosen = plan(os.cpu_count())
    else:
        chosen = [next(case for case in [*plan(os.cpu_count()), ADVERSARIAL]
                       if case.work == options.work)]
        if options.model in ("cifar", SMALL, BASE):
            chosen = [dataclasses.replace(chosen[0], steps=1)]
        if options.model == "cifar":
            options.batch = 256
    given = {key: getattr(options, key) for key in
             ("model", "precision", "cores", "batch", "rounds", "steps")
             if getattr(options, key) is not None}
    if options.quick:
        given |= dict(rounds=1, steps=1)
        options.compile = False
    return [dataclasses.replace(case, **given) for case in chosen]


def main():
    options = parse()
    options.vitdist, options.data = str(options.vitdist), pathlib.Path(options.data)
    start, lines, figures = time.monotonic(), [], []

    def say(text):
        print(f"[{time.monotonic() - start:5.0f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="vitdist-peers-") as folder:
        bench = Bench(options, folder, say)
        for case in cases(options):
            say(str(case))
            rows = bench.rows(case)
            print("\n" + detail(case, rows), flush=True)
            lines.append(summary(case, rows))
            figures.append(dict(
                dataclasses.asdict(case), rows=[
                    dict(dataclasses.asdict(row), imagesPerSecond=row.rate,
                         vitdistIsFasterBy=row.ratio(rows[0])) for row in rows]))
            if options.json:
                report = {"machine": platform.platform(), "works": figures}
                pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    print(SUMMARY + "\n" + "\n".join(lines))
    say("done")


if __name__ == "__main__":
    main()
