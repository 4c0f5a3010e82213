"""Documents a second by rules: the local engine and Ray on this machine, and Ray with a worker killed.

    python tests/ray_speed.py [--documents 600] [--workers 1 2] [--no-kill]

For each: the whole command, seconds until the first record, documents a second from then on.
Records of all must be the same. Figures are of a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_reports import make_reports
from ray_processes import actors_below

_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Speed:
    """How a run went. `records` are without their times."""

    documents: int
    seconds: float
    first_seconds: float
    at_first: int
    killed_at: int | None
    records: list[dict[str, Any]]

    def line(self, name: str) -> str:
        """For the terminal."""
        rest = (self.documents - self.at_first) / (self.seconds - self.first_seconds)
        whole = self.documents / self.seconds
        killed = "" if self.killed_at is None else f", one killed after {self.killed_at} records"
        return (
            f"{name:16} {self.seconds:6.1f} s, {whole:5.1f} documents/s; first record after "
            f"{self.first_seconds:4.1f} s, from then on {rest:5.1f} documents/s{killed}"
        )


def run(reports: Path, out: Path, engine: str, workers: int, *, kill: bool = False) -> Speed:
    """One run; with `kill`, one worker is killed when a third is done."""
    documents = sum(1 for path in reports.rglob("*") if path.is_file())
    command = [sys.executable, "-c", "from evals.cli import main; main()", "extract", str(reports), "--out"]
    command += [str(out), "--strategy", "rules", "--engine", engine, "--concurrency", str(workers)]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first: tuple[float, int] | None = None
    killed_at = None
    while process.poll() is None:
        count = _count(out / "records.jsonl")
        if first is None and count:
            first = time.monotonic() - began, count
        if kill and killed_at is None and count > documents / 3:
            os.kill(actors_below(process.pid, "ShardWorker")[0], signal.SIGKILL)
            killed_at = count
        time.sleep(_LOOK_SECONDS)
    seconds = time.monotonic() - began
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert first is not None
    return Speed(documents, seconds, *first, killed_at, _records(out))


def _count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def _records(out: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (out / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    for record in records:
        record["usage"].pop("seconds")
    return records


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-kill", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_reports(work / "in", given.documents)
        first = None
        cases = [(engine, workers, False) for engine in ("local", "ray") for workers in given.workers]
        if not given.no_kill:
            cases.append(("ray", max(given.workers), True))
        for number, (engine, workers, kill) in enumerate(cases):
            speed = run(work / "in", work / f"run{number}", engine, workers, kill=kill)
            print(speed.line(f"{engine}, {workers} workers"), flush=True)
            first = first or speed.records
            assert speed.records == first, f"{engine} with {workers} workers has other records"


if __name__ == "__main__":
    main()
