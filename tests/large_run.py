"""A run by rules over a very large folder: documents a second, memory, size; killed once and gone on with.

    python tests/many_reports.py --count 100000 --out DIR
    python tests/large_run.py --reports DIR --out RUN [--kill-at 40000]

The command is killed with -9 when so many records are there, started again, and at last started
once more with nothing to do. Memory is the most that the command and each of its processes held.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

MIB = 2**20
_LOOK_SECONDS = 0.5


@dataclass
class Watched:
    """How a command went: seconds, CPU of it and its processes, most memory of each kind (bytes)."""

    seconds: float
    cpu_seconds: float
    own_memory: int = 0
    child_memory: int = 0
    exit_code: int | None = None
    killed_at: int | None = None
    lines: list[str] = field(default_factory=list)


def start(reports: Path, run: Path) -> subprocess.Popen[bytes]:
    """`gongkai extract` by rules."""
    gongkai = [sys.executable, "-c", "from evals.cli import main; main()"]
    root = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [*gongkai, "extract", str(reports), "--out", str(run), "--strategy", "rules"],
        stdout=subprocess.DEVNULL,
        stderr=(run.parent / f"{run.name}.log").open("ab"),
        env={**os.environ, "PYTHONPATH": root},
    )


def watch(reports: Path, run: Path, kill_at: int | None = None) -> Watched:
    """Run the command to its end, or until so many records are there."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = start(reports, run)
    watched = Watched(0.0, 0.0)
    while process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        watched.own_memory = max(watched.own_memory, memory_of(process.pid))
        watched.child_memory = max([watched.child_memory, *map(memory_of, children_of(process.pid))])
        if kill_at is not None and count_lines(run) >= kill_at:
            process.send_signal(signal.SIGKILL)
            process.wait()
            watched.killed_at = count_lines(run)
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    watched.exit_code = process.returncode
    watched.seconds = time.monotonic() - began
    watched.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return watched


def memory_of(pid: int) -> int:
    """Bytes that a process holds now; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) * 1024


def children_of(pid: int) -> list[int]:
    """Process numbers of the children."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def count_lines(run: Path) -> int:
    """Records that are in the file, by its index."""
    path = run / "records.index"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def size_of(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def told(name: str, watched: Watched, documents: int) -> None:
    """Print a line."""
    rate = documents / watched.seconds
    cpu = 1000 * watched.cpu_seconds / max(documents, 1)
    memory = f"command {watched.own_memory / MIB:.0f} MiB, a worker {watched.child_memory / MIB:.0f} MiB"
    print(
        f"{name}: {documents:,} documents in {watched.seconds:,.0f} s = {rate:.0f}/s, {cpu:.1f} ms CPU each, "
        f"{memory}, exit {watched.exit_code}",
        flush=True,
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kill-at", type=int, default=None)
    given = parser.parse_args()
    done = count_lines(given.out)  # a run that was begun before counts from where it stood
    if given.kill_at is not None:
        killed = watch(given.reports, given.out, given.kill_at)
        told("until the kill", killed, (killed.killed_at or done) - done)
        done = killed.killed_at or count_lines(given.out)
    finished = watch(given.reports, given.out)
    ids = [json.loads(line)["doc_id"] for line in (given.out / "records.jsonl").open(encoding="utf-8")]
    told("to the end", finished, len(ids) - done)
    files = sum(1 for path in given.reports.rglob("*") if path.is_file())
    print(f"{files:,} files, {len(ids):,} records, {len(set(ids)):,} of them different")
    print(f"reports {size_of(given.reports) / 1e9:.2f} GB, run {size_of(given.out) / 1e9:.2f} GB")
    told("nothing left to do", watch(given.reports, given.out), len(ids))


if __name__ == "__main__":
    main()
