"""Whole processes: what each took, by the kernel's own count."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


class Failed(Exception):
    """A process ended badly."""


@dataclass
class Run:
    """What one process took."""

    wall: float
    cpu: float
    peak_mib: float


@dataclass
class Contender:
    """Who does a work: a command, and where it leaves its answer."""

    name: str
    command: list
    answer: Path
    # In whose folder it runs.
    folder: Path = Path(".")
    environment: dict = field(default_factory=dict)
    # Whether the answer is what the command prints.
    prints: bool = False
    # Called before each run: what an earlier one left must not help this one.
    clear: callable = lambda: None
    # Called after each run, for an answer whose place is only known then.
    settle: callable = lambda: None
    # The part of the whole work that is done, where the whole would take too long, and
    # the same command with nothing to do, whose time does not grow with the part.
    part: float = 1.0
    idle: "Contender | None" = None
    runs: list = field(default_factory=list)

    def once(self):
        """Runs the command and keeps what it took."""
        if self.idle:
            self.idle.once()
        self.clear()
        self.answer.parent.mkdir(parents=True, exist_ok=True)
        self.runs.append(self._run())
        self.settle()

    def _run(self):
        log = self.answer.with_suffix(".log")
        out = open(self.answer if self.prints else os.devnull, "wb")
        with out, open(log, "wb") as errors:
            began = time.perf_counter()
            child = subprocess.Popen(
                [str(word) for word in self.command],
                stdout=out,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, **self.environment},
            )
            # Not child.wait(): wait4 gives this child's use alone.
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said = log.read_text(errors="replace")[-3000:]
            raise Failed(f"{self.name} ended with {child.returncode}:\n{said}")
        return Run(wall, used.ru_utime + used.ru_stime, peak_mib(used))

    def median(self, what):
        return statistics.median(getattr(run, what) for run in self.runs)

    def whole(self):
        """Returns the seconds that the whole work would take, not a part of it."""
        wall = self.median("wall")
        if self.idle is None:
            return wall
        idle = min(wall, self.idle.median("wall"))
        return idle + (wall - idle) / self.part


def peak_mib(used):
    """Linux counts in KiB, macOS in bytes."""
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def interleaved(contenders, runs):
    """Runs all of them in turn, so that what else the machine does hits all alike."""
    for _ in range(runs):
        for contender in contenders:
            contender.once()
