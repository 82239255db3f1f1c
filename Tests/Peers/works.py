"""Every kind of work as its two sides: vitdist's command, and the variants of the other."""

import os
import pathlib
import shutil
import subprocess
import sys

from turns import HERE, Ours, Peer, Row, attempt, play

CIFAR = HERE / "cifar.yaml"
OBJECTIVE = "{kind: adversarial, attack: {kind: pgd, steps: 3, epsilon: 4/255}}"


class Bench:
    """What all works of a run share: the options and a folder for what is made on the way."""

    def __init__(self, options, folder, say):
        self.options, self.folder, self.say = options, pathlib.Path(folder), say
        self.fast = self.fast_products()

    def fast_products(self):
        """The library that makes PyTorch's MKL take its fast kernels; none where it does so anyway
        or there is no C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if "AuthenticAMD" not in pathlib.Path("/proc/cpuinfo").read_text() or not compiler:
            return None
        library = self.folder / "fast_products.so"
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library),
                        str(HERE / "fast_products.c")], check=True)
        return library

    def ours(self, work, case, **place):
        model = ["--config", str(CIFAR)] if case.model == "cifar" else ["--model", case.model]
        extra = self.options.ours.split()
        command = "step" if work == "adversarial" else work
        arguments = ["bench", command, *model, "--precision", case.precision]
        if work == "adversarial":
            arguments += ["--objective", OBJECTIVE]
        if command == "step":
            arguments += ["--steps", str(case.steps)]
            if case.model != "cifar":
                arguments += ["--batch", str(case.batch)]
        elif work == "attack":
            arguments += ["--attack-steps", "10", "--tries", str(max(2, case.steps))]
        else:
            arguments += ["--passes", str(case.steps + 2)]
        return Ours(self.options.vitdist, arguments + extra, **place)

    def torch(self, name, case, *, compiled=False, frozen=False, fast=False, processes=1):
        threads = case.cores // processes
        arguments = ["--work", case.work, "--model", case.model, "--batch", str(case.batch),
                     "--precision", case.precision, "--threads", str(threads),
                     "--warmup", str(2 if compiled else case.warmup)]
        environment = {"OMP_NUM_THREADS": str(threads),
                       "TORCHINDUCTOR_CACHE_DIR": str(self.options.cache)}
        if case.work == "adversarial":
            arguments += ["--attack-steps", "3", "--epsilon", str(4 / 255)]
        if compiled:
            arguments.append("--compile")
        if frozen:
            environment["TORCHINDUCTOR_FREEZING"] = "1"
        if fast:
            environment["LD_PRELOAD"] = str(self.fast)
        return Peer(name, "torch_peer.py", arguments, environment=environment, ranks=processes,
                    fast=fast)

    def variants(self, case):
        """Names and options of PyTorch's ways to do this work on that many cores."""
        ways = [("eager", {})]
        if self.options.compile:
            ways.append(("compiled", dict(compiled=True)))
            if case.work == "evaluate":
                ways.append(("compiled and frozen", dict(compiled=True, frozen=True)))
        if case.cores > 1:
            ways = [(f"{name}, {case.cores} {kind}", dict(way, processes=count))
                    for kind, count in (("threads", 1), ("processes", case.cores))
                    for name, way in ways]
        if self.fast:
            ways += [(f"{name}, fast products", dict(way, fast=True)) for name, way in ways]
        return ways

    def rows(self, case):
        """vitdist's row first."""
        kinds = {"memory": self.memory, "data": self.data, "shards": self.shards_read}
        return kinds.get(case.work, self.model)(case)

    def model(self, case):
        """Rows of a step, an attack or an evaluation."""
        peers = [self.torch(name, case, **way) for name, way in self.variants(case)]
        # An attack's benchmark has no ranks; the case then names one core.
        ours = self.ours(case.work, case, ranks=case.cores)
        return play(ours, peers, case.rounds, case.steps, self.say)

    def memory(self, case):
        """Peak resident sets of a training step: one side after another, nothing timed."""
        step = case.with_work("step")
        ours = self.ours("step", step, ranks=1)
        rows = [ours.row]
        attempt(ours, lambda: ours.take(1))
        self.say(f"vitdist: {ours.row.facts or ours.row.problem}")
        ways = [("eager", {})] + [("compiled", dict(compiled=True))] * self.options.compile
        for name, way in ways:
            # All cores and the fast products: they change the time, not the memory.
            peer = self.torch(name, step, fast=bool(self.fast), **way)
            if attempt(peer, peer.wait_until_ready):
                attempt(peer, peer.end)
            peer.row.fast = False
            self.say(f"{name}: {peer.row.facts or peer.row.problem}")
            rows.append(peer.row)
        return rows

    def data(self, case):
        """Rows of the training pipeline from JPEG, pinned to one core."""
        photographs = self.options.data / "imagenet-sample" / "imagenet-sample-even.tar.gz"
        if not photographs.exists():
            return [Row("vitdist", problem=f"{photographs} is not there (--data)")]
        shards = self.shards(photographs, "jpeg", [])
        core = max(os.sched_getaffinity(0))
        ours = Ours(
            self.options.vitdist,
            ["bench", "data", "--data", str(shards), "--augmentation", case.model,
             "--passes", str(case.steps)], core=core)
        loaders = [("torchvision and Pillow", "pillow", sys.executable)]
        if self.options.simd_python:
            loaders.append(
                ("torchvision and Pillow-SIMD", "pillow", self.options.simd_python))
        loaders += [("simplejpeg and Pillow", "simplejpeg", sys.executable),
                    ("OpenCV (no antialiasing)", "opencv", sys.executable)]
        if case.model == "crop":
            loaders.append(("DALI", "dali", sys.executable))
        peers = [
            Peer(name, "loader_peer.py",
                 ["--loader", loader, "--recipe", case.model, "--data", str(photographs)],
                 environment={"OMP_NUM_THREADS": "1"}, core=core, interpreter=interpreter,
                 lesser=loader == "opencv")
            for name, loader, interpreter in loaders]
        return play(ours, peers, case.rounds, case.steps, self.say, slack=100)

    def shards_read(self, case):
        """Rows of reading a raw shard to float32 planes."""
        pictures = self.options.data / "cifar10" / "cifar10-test-a.tar.gz"
        if not pictures.exists():
            return [Row("vitdist", problem=f"{pictures} is not there (--data)")]
        shards = self.shards(pictures, "raw", ["--storage", "raw"])
        core = max(os.sched_getaffinity(0))
        ours = Ours(
            self.options.vitdist,
            ["bench", "data", "--data", str(shards), "--image-size", "32",
             "--augmentation", "none", "--passes", str(case.steps)], core=core)
        file = next(shards.glob("*.h5"))
        peers = [
            Peer(name, "loader_peer.py", ["--loader", loader, "--data", str(file)], core=core,
                 lesser=loader == "h5py-slices")
            for name, loader in (("h5py, shuffled", "h5py"),
                                 ("h5py, 32 neighbours at once (no shuffling)", "h5py-slices"))]
        return play(ours, peers, case.rounds, case.steps, self.say, slack=100)

    def shards(self, source, name, options):
        folder = self.folder / name
        if not folder.exists():
            made = Ours(self.options.vitdist, [])
            command = made.command[:-1] + [
                "shards", "create", "--from", "imagefolder", str(source), "--output", str(folder)]
            subprocess.run(command + options, check=True, capture_output=True)
        return folder
