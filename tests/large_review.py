"""The review of a large run: how long the first page takes, and how much memory the server.

    python tests/large_review.py [--count 5000] [--out DIR]

Makes a run of made-up reports with findings, doubtful figures and failures (DIR/run and DIR/reports;
one that is there is taken as it is), starts `gongkai review` on it and asks for pages beside a static
file of the same server, while the records are being read and after. Copies of a report differ in name
and hash, not in figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from large_run import children_of
from many_reports import make_reports
from review_server import Answer, ReviewServer, review_server

from pipeline.api import extract
from pipeline.fact import Fact, Finding, Record
from pipeline.runs.brief import RecordBrief, brief_of
from pipeline.runs.manifest import Manifest, RunIdentity, new_session, schema_sha256, write_manifest
from pipeline.runs.record import RecordFile, record_line, write_text

PATTERNS = 120
FAILED_SHARE = 0.01
MOST_SECONDS = 1.0
WARM = 20


@dataclass(frozen=True)
class Pattern:
    """A report that was extracted: its file, canonical text, and records with and without findings."""

    content: bytes
    text: str
    ending: str
    records: Sequence[tuple[bytes, RecordBrief]]


def make_run(folder: Path, count: int, seed: int = 1) -> None:
    """Write DIR/reports and DIR/run."""
    random = Random(seed)
    patterns = list(_patterns(seed, random))
    reports, run = folder / "reports", folder / "run"
    reports.mkdir(parents=True)
    run.mkdir()
    file = RecordFile(run)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        doc_id = f"report_{number:05}"
        # White space at the end: another hash, the same text.
        mark = f"{number:013b}".replace("0", " ").replace("1", "\t")
        content = pattern.content + mark.encode() + b"\n"
        sha256 = hashlib.sha256(content).hexdigest()
        name = doc_id + pattern.ending
        (reports / name).write_bytes(content)
        if random.random() < FAILED_SHARE:
            file.append(_failed(doc_id, name, sha256))
            continue
        line, brief = random.choice(pattern.records)
        head = b'{"doc_id":"%s","file":"%s","sha256":"%s",' % (
            doc_id.encode(),
            name.encode(),
            sha256.encode(),
        )
        line = head + line[line.index(b'"media_type"') :]
        file.append_line(line, replace(brief, doc_id=doc_id, file=name, content=sha256))
        write_text(run, sha256, pattern.text)
    file.close()
    identity = RunIdentity("rules", schema_sha256=schema_sha256())
    write_manifest(run, Manifest(identity, (str(reports.resolve()),), (new_session(),)))


def _patterns(seed: int, random: Random) -> Iterator[Pattern]:
    with tempfile.TemporaryDirectory() as folder:
        for path in make_reports(Path(folder), PATTERNS, seed):
            report = extract(path)
            records = [report.record, *(_doubtful(report.record, random) for _ in range(4))]
            content = path.read_bytes()
            known = [(record_line(record), brief_of(record)) for record in records]
            yield Pattern(content, report.text, path.suffix, known)


def _doubtful(record: Record, random: Random) -> Record:
    """The record with some figures less sure, and in half of the cases a finding."""
    facts = tuple(_less_sure(fact, random) for fact in record.facts)
    rows = [fact for fact in facts if fact.path.startswith("requests.") and fact.source == "table"][:7]
    if not rows or random.random() < 0.5:
        return record.model_copy(update={"facts": facts})
    finding = Finding(
        rule="requests.row_total",
        severity=random.choice(("error", "warning")),
        cause=random.choice(("reading", "unknown", "report")),
        paths=tuple(fact.path for fact in rows),
        message="requests.row_total: the columns do not add up to the total",
        evidence=tuple(fact.evidence for fact in rows),
    )
    return record.model_copy(update={"facts": facts, "findings": (finding,), "status": "flagged"})


def _less_sure(fact: Fact, random: Random) -> Fact:
    if fact.confidence is None or random.random() > 0.05:
        return fact
    return fact.model_copy(update={"confidence": round(random.uniform(0.5, 0.99), 4)})


def _failed(doc_id: str, name: str, sha256: str) -> Record:
    return Record(
        doc_id=doc_id,
        file=name,
        sha256=sha256,
        media_type="text/plain",
        status="failed",
        error="the file holds no text",
        error_code="empty",
    )


@dataclass
class Clock:
    """Asks a server with the cookie, and times it."""

    server: ReviewServer
    cookie: str

    def ask(self, path: str) -> tuple[float, Answer]:
        began = time.perf_counter()
        answer = self.server.ask("GET", path, {"Cookie": self.cookie})
        seconds = time.perf_counter() - began
        if answer.status not in (200, 303):
            raise SystemExit(f"{path}: {answer.status} {answer.body[:300]!r}")
        return seconds, answer

    def median(self, path: str, times: int = WARM) -> float:
        return statistics.median(self.ask(path)[0] for _ in range(times))


def tell(name: str, value: str) -> None:
    """Print a line of the table."""
    print(f"{name:34}{value}", flush=True)


def memory(pid: int) -> int:
    """The most bytes that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def measure(run: Path, began: float, server: ReviewServer) -> float:
    """Print the table; the seconds of the first page."""
    tell("command to address printed", f"{time.monotonic() - began:.2f} s")
    started = time.monotonic()
    clock = Clock(server, server.cookie())
    first, page = clock.ask("/")
    tell("first page, cold", f"{1000 * first:.0f} ms, {len(page.body) / 1000:.0f} kB")
    progress = json.loads(clock.ask("/progress")[1].body)
    tell("records read by then", f"{progress['read']:,} of {progress['documents']:,}")
    while_reading = [clock.ask("/next?kind=flagged") for _ in range(5)]
    at = f"{1000 * statistics.median(seconds for seconds, _ in while_reading):.0f} ms"
    tell("next flagged, records being read", f"{at} → {while_reading[-1][1].headers['location'][:40]}")
    tell("list, records being read", f"{1000 * clock.median('/', 5):.0f} ms")
    while not (progress := json.loads(clock.ask("/progress")[1].body))["complete"]:
        time.sleep(0.5)
    tell("until all records are read", f"{time.monotonic() - started:.1f} s")
    tell("figures; checks that remain", f"{progress['figures']:,}; {progress['remaining']:,}")
    size = sum(path.stat().st_size for path in (run / "records.jsonl",))
    tell("records", f"{size / 1e6:.0f} MB, {size / progress['documents'] / 1000:.0f} kB each")
    static, warm = clock.median("/static/style.css"), clock.median("/")
    tell("static file, median", f"{1000 * static:.1f} ms")
    tell("list, median", f"{1000 * warm:.1f} ms = {warm / static:.1f} × static file")
    tell("list, page 50", f"{1000 * clock.median('/?page=50&sort=name'):.1f} ms")
    tell("search", f"{1000 * clock.median('/?q=report_04'):.1f} ms")
    tell("next unchecked", f"{1000 * clock.median('/next?kind=unchecked'):.1f} ms")
    target = clock.ask("/next?kind=unchecked")[1].headers["location"].partition("#")[0]
    tell("page of a document, cold", f"{1000 * clock.ask(target)[0]:.0f} ms")
    tell("page of a document, median", f"{1000 * clock.median(target, 5):.0f} ms")
    tell("memory at most, server", f"{memory(server.pid) / 2**20:.0f} MiB")
    for child in children_of(server.pid):
        tell("memory at most, child", f"{memory(child) / 2**20:.0f} MiB")
    return first


def main() -> None:
    """The command; exit code 1 where the first page takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--out", type=Path, help="folder to make the run in, or where it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        if not (folder / "run").is_dir():
            began = time.monotonic()
            make_run(folder, options.count)
            print(f"{options.count:,} documents made in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        with review_server(folder / "run") as server:
            first = measure(folder / "run", began, server)
    if first >= MOST_SECONDS:
        sys.exit(f"the first page takes {first:.2f} s; allowed is {MOST_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
