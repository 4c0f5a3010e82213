"""A run against a server of which three answers in ten are faults of all kinds.

    python tests/mixed_faults.py [--documents 5000] [--faults 0.3] [--in-flight 64]

The same reports are extracted once without faults and once with them: all must be recorded, none
failed, with the same facts. Calls a document tell what the faults cost.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from asking_reports import extract, facts, write_reports
from fake_replies import RANDOM_FAULTS
from fake_server import fake_server_process

TIMEOUT_SECONDS = "3"


def run(work: Path, name: str, in_flight: int, **behaviour: Any) -> None:
    """Extract against a server that behaves so, and print what came of it."""
    began = time.monotonic()
    with fake_server_process(latency_ms=50, **behaviour) as server:
        options = ("--concurrency", str(in_flight), "--timeout", TIMEOUT_SECONDS)
        done = extract(work / "in", work / name, server.base_url, *options)
        stats = server.stats()
    seconds = time.monotonic() - began
    if done.returncode != 0:
        print(done.stdout[-3000:], done.stderr[-2000:])
    found = facts(work / name)
    failed = [doc_id for doc_id, (status, _) in found.items() if status == "failed"]
    rows = (
        sqlite3.connect(work / name / "ledger.sqlite").execute("SELECT count(*) FROM requests").fetchone()[0]
    )
    print(
        f"{name}: exit {done.returncode}, {len(found)} recorded, {len(failed)} failed, "
        f"{stats['requests'] / len(found):.3f} calls a document, {rows} rows in the ledger of "
        f"{stats['requests']} requests, most in flight {stats['peak_in_flight']}, {seconds:.0f} s",
        flush=True,
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--faults", type=float, default=0.3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_reports(work / "in", given.documents)
        run(work, "without faults", given.in_flight)
        run(work, "with faults", given.in_flight, faults=given.faults, seed=given.seed)
        same = facts(work / "without faults") == facts(work / "with faults")
        kinds = len(RANDOM_FAULTS)
        print(f"{given.faults:.0%} faults of {kinds} kinds; facts of all documents the same: {same}")


if __name__ == "__main__":
    main()
