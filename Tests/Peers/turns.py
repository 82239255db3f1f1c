"""Taking turns: vitdist's own benchmarks and PyTorch's variants as processes of their own.

A round asks everybody once, one after another, so that what else the machine does meets all
alike. A ratio is of one round, and the median over the rounds counts.
"""

import atexit
import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Runs a command as a user of vitdist does.
SHELL = ["bash", "-c", 'source "$0/Launch/environment" 2>/dev/null && exec "$@"', str(ROOT)]


class NotOffered(Exception):
    """This side does not do this work; the text says why."""


def pinned(core):
    """For subprocess: what runs before the program starts, to keep it on one core."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


@dataclasses.dataclass
class Row:
    """What the table says of one taker of turns."""

    name: str
    # Images a second, one figure a round.
    rates: list = dataclasses.field(default_factory=list)
    facts: dict = dataclasses.field(default_factory=dict)
    fast: bool = False
    # Does less than vitdist, so that it cannot be the one to beat.
    lesser: bool = False
    # Why there are no figures.
    problem: str = ""

    @property
    def rate(self):
        return statistics.median(self.rates) if self.rates else 0.0

    def ratio(self, ours):
        """How much faster `ours` is, by pairs of the same round; None without pairs."""
        pairs = [mine / theirs for mine, theirs in zip(ours.rates, self.rates)]
        return statistics.median(pairs) if pairs else None


class Ours:
    """vitdist: a burst of its own benchmark every turn."""

    def __init__(self, program, arguments, ranks=1, core=None, name="vitdist"):
        self.row, self.core = Row(name), core
        launcher = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
        self.command = [*SHELL, *launcher, program, *arguments, "--json"]
        self.report = {}

    def take(self, _):
        # A session of its own, as the peers have: the kernel shares cores out by sessions.
        done = subprocess.run(
            self.command, capture_output=True, text=True, preexec_fn=pinned(self.core),
            start_new_session=True)
        if done.returncode != 0:
            said = (done.stderr.strip() or "ended without a word").splitlines()
            raise NotOffered(next((line for line in said if "rror" in line), said[-1]))
        self.report = json.loads(done.stdout)
        self.row.rates.append(self.report["imagesPerSecond"])
        facts = self.row.facts
        facts["gemmGflops"] = max(facts.get("gemmGflops", 0), self.report.get("gemmGflops", 0))
        facts["peakRssBytes"] = max(
            facts.get("peakRssBytes", 0), self.report.get("peakRssBytes", 0))
        for key in ("blasKernel", "mfu", "microBatch", "chunk"):
            if key in self.report:
                facts[key] = self.report[key]

    def end(self):
        pass


class Peer:
    """A variant of the other side: a process that waits for its turn."""

    def __init__(self, name, script, arguments, *, environment=None, ranks=1, core=None,
                 fast=False, lesser=False, interpreter=sys.executable):
        self.row = Row(name, fast=fast, lesser=lesser)
        launcher = [interpreter]
        if ranks > 1:
            launcher += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        # What serves another BLAS must not slow this side, nor anything set for vitdist.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS", "OMPI"))}
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*launcher, str(HERE / script), *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True,
            env={**inherited, **(environment or {})}, preexec_fn=pinned(core))
        atexit.register(self.stop)

    def answer(self):
        """The next line of JSON; other lines are libraries talking."""
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                return json.loads(line)
        self.stop()
        self.log.seek(0)
        said = [line.strip() for line in self.log.read().splitlines() if line.strip()]
        errors = [line for line in said if "Error" in line and "torch.distributed" not in line]
        raise NotOffered((errors or said or ["ended without a word"])[-1][:160])

    def wait_until_ready(self):
        self.row.facts |= self.answer()

    def ask(self, text):
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def take(self, repetitions):
        said = self.ask(str(repetitions))
        self.row.rates.append(said["images"] / statistics.median(said["seconds"]))

    def end(self):
        """Asks for the last facts and lets the process go."""
        if self.process.poll() is None:
            self.row.facts |= self.ask("end")
            self.process.wait()
        self.stop()

    def stop(self):
        """The process and all it started, torch.distributed's workers among them."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def attempt(taker, action):
    """Whether it went well; else the row says what did not."""
    try:
        action()
    except NotOffered as error:
        taker.row.problem = str(error)
    return not taker.row.problem


def play(ours, peers, rounds, repetitions, say, slack=1.15):
    """All rows, vitdist's first. After the first round those go that are no match for the best of
    their kind, with ordinary products or with the fast ones: they keep their one pair."""
    playing = [peer for peer in peers if attempt(peer, peer.wait_until_ready)]
    offered = True
    for number in range(rounds):
        offered = offered and attempt(ours, lambda: ours.take(repetitions))
        for peer in playing:
            attempt(peer, lambda: peer.take(repetitions))
        say(f"round {number + 1} of {rounds}: " + ", ".join(
            f"{taker.row.name} {taker.row.rates[-1]:.4g}" for taker in [ours, *playing]
            if taker.row.rates))
        stays = [peer for peer in playing if not peer.row.problem and peer.row.rate * slack >= max(
            other.row.rate for other in playing if other.row.fast == peer.row.fast)]
        for peer in playing:
            if peer not in stays and number + 1 < rounds:
                attempt(peer, peer.end)
        playing = stays if number + 1 < rounds else playing
    for peer in playing:
        attempt(peer, peer.end)
    return [ours.row] + [peer.row for peer in peers]
