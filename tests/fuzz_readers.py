"""Thousands of damaged files through all readers and the extraction behind them.

    python tests/fuzz_readers.py --count 20000

Each file is read in a process that is stopped at the time limit. Printed: how many ended in
which way, the slowest, and the most memory that a process took. Exit code 4 if a file crashed
the program, brought its process down or had to be stopped, or if memory went over 1 GiB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from made_reports import TEMPLATES, make_report
from mutations import mutated
from report_carriers import OFFICE_CARRIERS, TEXT_CARRIERS

from pipeline.errors import DocumentError
from pipeline.extraction import extract_document
from pipeline.metadata.reading import require_report
from pipeline.read import DEFAULT_LIMITS, read_document
from pipeline.runs.child import limit_memory

SECONDS = DEFAULT_LIMITS.seconds
MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Trial:
    """How one damaged file ended: `read`, the code of its error, or `crash`, `died`, `hang`."""

    seed: int
    carrier: str
    outcome: str
    seconds: float
    memory_bytes: int = 0
    details: str = ""


@cache
def seed_files(office: bool) -> tuple[tuple[str, str, bytes], ...]:
    """Good files: carrier, ending, bytes; with `office` those that LibreOffice reads."""
    carriers = OFFICE_CARRIERS if office else TEXT_CARRIERS
    return tuple(
        (name, carrier.ending, carrier.write(make_report(template, 7)))
        for name, carrier in carriers.items()
        for template in TEMPLATES
    )


def damaged(seed: int, office: bool) -> tuple[str, str, bytes]:
    """The damaged file of a seed: carrier, ending, bytes."""
    random = Random(seed)
    files = seed_files(office)
    carrier, ending, data = files[seed % len(files)]
    return carrier, ending, mutated(data, random, [other for _, _, other in files])


def try_file(seed: int, office: bool, folder: Path) -> Trial:
    """Read the damaged file of a seed, and extract if it is a report."""
    carrier, ending, data = damaged(seed, office)
    path = folder / f"fuzzed{ending}"
    path.write_bytes(data)
    began = time.monotonic()
    details = ""
    try:
        document = read_document(path)
        require_report(document)
        extract_document(document, "rules", None)
        outcome = "read"
    except DocumentError as error:
        outcome = error.code
    except MemoryError:
        outcome = "too_large"  # what a run calls it
    except Exception:  # noqa: BLE001 - what the fuzzing looks for
        outcome, details = "crash", traceback.format_exc()
    return Trial(seed, carrier, outcome, time.monotonic() - began, _memory(), details)


def _memory() -> int:
    """The most memory that this process has taken, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _serve(connection: Connection, office: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(DEFAULT_LIMITS.memory_bytes)  # as a run does
    seed_files(office)
    connection.send(None)
    with tempfile.TemporaryDirectory() as folder:
        while True:
            try:
                seed = connection.recv()
            except EOFError:
                return
            connection.send(try_file(seed, office, Path(folder)))


class _Worker:
    def __init__(self, office: bool) -> None:
        self.office = office
        context = multiprocessing.get_context("spawn")
        self.connection, there = context.Pipe()
        self._process: Any = context.Process(target=_serve, args=(there, office), daemon=True)
        self._process.start()
        there.close()
        self.connection.recv()
        self.seed = -1
        self.began = 0.0

    def begin(self, seed: int) -> None:
        self.seed, self.began = seed, time.monotonic()
        self.connection.send(seed)

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def fuzz(seeds: Sequence[int], workers: int, office: bool) -> Iterator[Trial]:
    """The trials of all seeds as they are done."""
    waiting = iter(seeds)
    busy: list[_Worker] = []
    for _ in range(workers):
        _next(_Worker(office), waiting, busy)
    while busy:
        ready = wait([worker.connection for worker in busy], timeout=1)
        for worker in list(busy):
            trial = _trial_of(worker, worker.connection in ready)
            if trial is None:
                continue
            busy.remove(worker)
            if trial.outcome in ("hang", "died"):
                worker.end()
                worker = _Worker(office)
            _next(worker, waiting, busy)
            yield trial


def _next(worker: _Worker, waiting: Iterator[int], busy: list[_Worker]) -> None:
    seed = next(waiting, None)
    if seed is None:
        worker.end()
    else:
        worker.begin(seed)
        busy.append(worker)


def _trial_of(worker: _Worker, is_ready: bool) -> Trial | None:
    seconds = time.monotonic() - worker.began
    carrier = damaged(worker.seed, worker.office)[0] if not is_ready and seconds > SECONDS else ""
    if is_ready:
        try:
            trial: Trial = worker.connection.recv()
        except EOFError:
            return Trial(worker.seed, damaged(worker.seed, worker.office)[0], "died", seconds)
        return trial
    return Trial(worker.seed, carrier, "hang", seconds) if carrier else None


def main() -> int:
    """Print what became of the files."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--count", type=int, default=20_000, help="damaged files")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--office", action="store_true", help="files that LibreOffice reads: slow")
    options = parser.parse_args()
    trials: list[Trial] = []
    for trial in fuzz(range(options.first, options.first + options.count), options.workers, options.office):
        trials.append(trial)
        if trial.outcome in ("crash", "died", "hang"):
            sys.stdout.write(f"seed {trial.seed} ({trial.carrier}): {trial.outcome}\n{trial.details}\n")
        if len(trials) % 500 == 0:
            sys.stderr.write(f"{len(trials)} of {options.count}\n")
    _print_table(trials)
    slowest = max(trials, key=lambda trial: trial.seconds)
    memory = max(trial.memory_bytes for trial in trials)
    sys.stdout.write(f"slowest: {slowest.seconds:.1f} s (seed {slowest.seed}, {slowest.carrier})\n")
    sys.stdout.write(f"most memory of a process: {memory / 2**20:.0f} MiB\n")
    bad = sum(trial.outcome in ("crash", "died", "hang") for trial in trials)
    return 4 if bad or memory > MEMORY_BYTES else 0


def _print_table(trials: Sequence[Trial]) -> None:
    outcomes = sorted({trial.outcome for trial in trials})
    counts = Counter((trial.carrier, trial.outcome) for trial in trials)
    sys.stdout.write(f"{'carrier':16}" + "".join(f"{name:>20}" for name in outcomes) + "\n")
    for carrier in dict.fromkeys(trial.carrier for trial in sorted(trials, key=lambda trial: trial.carrier)):
        cells = "".join(f"{counts[carrier, name]:>20}" for name in outcomes)
        sys.stdout.write(f"{carrier:16}{cells}\n")
    totals = Counter(trial.outcome for trial in trials)
    sys.stdout.write(f"{'all':16}" + "".join(f"{totals[name]:>20}" for name in outcomes) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
