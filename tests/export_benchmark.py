"""Time, CPU and memory of an export of made-up facts, beside a bare write of the same table by polars.

    python tests/export_benchmark.py [--facts 1000000] [--formats csv parquet dta xlsx datasets duckdb]
    python tests/export_benchmark.py --from-run 100000      # the whole command on a run of so many facts

Each write runs in a process of its own, from the same iterator of rows; "rows" is what making
them alone takes. polars makes a frame of them and writes it; "bare" is that last step alone, with
the whole table in memory already. Peak memory is that of the process, with its libraries. The
ratios are to polars' CSV for csv and xlsx, to its Parquet for the others, from rows. CPU is the
figure to go by on a machine that does other things.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.export.formats import FORMATS, tables_writer
from pipeline.export.made_with import MadeWith
from pipeline.export.rows import FACTS
from pipeline.export.table import Row
from pipeline.export.write import export_run
from pipeline.fact import Evidence, Fact, Record
from pipeline.runs.record import RecordFile
from pipeline.schema import fields

FACTS_A_REPORT = 200
ROWS, POLARS_CSV, POLARS_PARQUET = "rows", "polars csv", "polars parquet"
BARE = {"bare polars csv": POLARS_CSV, "bare polars parquet": POLARS_PARQUET}
MIB = 2**20


def made_rows(count: int) -> Iterator[Row]:
    """Facts as reports have them: most are figures of tables, one in fifty is a text."""
    paths = [path for path in fields() if not path.startswith("meta.")]
    for number in range(count):
        report, place = divmod(number, FACTS_A_REPORT)
        is_text, is_blank = place % 50 == 49, place % 10 == 9
        figure = None if is_text or is_blank else float(number * 7919 % 5000)
        yield {
            "doc_id": f"{report % 3000:04d}_county_{2008 + report % 17}",
            "path": "text.problems" if is_text else paths[place % len(paths)],
            "value": figure,
            "value_text": f"政府信息公开工作人员业务水平有待进一步提高，第{number}项" * 2
            if is_text
            else None,
            "status": "blank" if is_blank and not is_text else "value",
            "bound": "exact",
            "raw": "" if figure is None else f"{figure:.0f}",
            "unit": "件" if place % 3 == 0 else None,
            "source": "table" if place % 4 else "narrative",
            "method": "table_reader" if place % 4 else "label",
            "scope": None if place % 4 else "own",
            "start": number % 20_000,
            "end": number % 20_000 + 4,
            "page": 1 + place // 60,
            "table": place % 3,
            "row": place % 25,
            "column": place % 7,
            "confidence": None if place % 4 else 0.97,
            "label": None,
            "findings": "requests.row_total" if place % 97 == 0 else None,
            "run": "run",
        }


def measured(task: str, count: int, out: Path) -> dict[str, float]:
    """Do one task in this process: seconds, CPU seconds, MiB at the peak."""
    frame = _frame(count) if task in BARE else None
    task = BARE.get(task, task)
    wall, cpu = time.perf_counter(), time.process_time()
    if task == ROWS:
        for _ in made_rows(count):
            pass
    elif task in (POLARS_CSV, POLARS_PARQUET):
        frame = _frame(count) if frame is None else frame
        frame.write_csv(out / "facts") if task == POLARS_CSV else frame.write_parquet(out / "facts")
    elif task == "from-run":
        export_run(out / "run", "parquet", out / "tables")
    else:
        tables_writer(task)(out, iter([(FACTS, made_rows(count))]), MadeWith())  # type: ignore[arg-type]
    return {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB,
        "file_mib": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / MIB,
    }


def _frame(count: int) -> Any:
    try:
        import polars
    except ImportError:
        sys.exit("polars is not there: pip install polars (the benchmark alone needs it)")
    kinds = {"text": polars.String, "integer": polars.Int64, "number": polars.Float64}
    names = [column.name for column in FACTS.columns]
    schema = {column.name: kinds[column.type] for column in FACTS.columns}
    parts = []
    waiting: list[tuple[Any, ...]] = []
    for number, row in enumerate(made_rows(count), start=1):
        waiting.append(tuple(row.get(name) for name in names))
        if len(waiting) == 50_000 or number == count:
            parts.append(polars.DataFrame(waiting, schema=schema, orient="row"))
            waiting = []
    return polars.concat(parts, rechunk=True)


def in_a_process(task: str, count: int) -> dict[str, float]:
    """`measured` in a fresh process and a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        if task == "from-run":
            make_run(Path(folder) / "run", count)
        command = [sys.executable, __file__, "--task", task, "--facts", str(count), "--folder", folder]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def make_run(folder: Path, count: int) -> None:
    """A run folder with records of `FACTS_A_REPORT` facts."""
    folder.mkdir()
    file = RecordFile(folder)
    facts: list[Fact] = []
    for number, row in enumerate(made_rows(count), start=1):
        facts.append(_fact(row))
        if len(facts) == FACTS_A_REPORT or number == count:
            name = f"r{number:08d}"
            content = {"doc_id": name, "file": f"{name}.txt", "sha256": "0" * 64, "media_type": "text/plain"}
            file.append(Record(**content, status="ok", facts=tuple(facts)))  # type: ignore[arg-type]
            facts = []
    file.close()


def _fact(row: Row) -> Fact:
    own = ("path", "status", "bound", "raw", "unit", "source", "method", "scope", "confidence", "label")
    evidence = {name: row[name] for name in ("start", "end", "page", "table", "row", "column")}
    value = row["value_text"] if row["value"] is None else row["value"]
    return Fact.model_validate(
        {name: row[name] for name in own} | {"value": value, "evidence": Evidence.model_validate(evidence)}
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--from-run", type=int, metavar="FACTS")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(measured(given.task, given.facts, given.folder)))
        return
    if given.from_run:
        _print("the command, to parquet", in_a_process("from-run", given.from_run), None)
        return
    print(f"{given.facts:,} facts, {len(FACTS.columns)} columns")
    bare = {task: in_a_process(task, given.facts) for task in (ROWS, *BARE, *BARE.values())}
    for task, found in bare.items():
        _print(task, found, None)
    for name in given.formats:
        beside = bare[POLARS_CSV if name in ("csv", "xlsx") else POLARS_PARQUET]
        _print(name, in_a_process(name, given.facts), beside)


def _print(task: str, found: dict[str, float], beside: dict[str, float] | None) -> None:
    line = (
        f"{task:19} {found['seconds']:7.1f} s  {found['cpu']:7.1f} s CPU  "
        f"{found['mib']:6.0f} MiB at the peak  {found['file_mib']:6.0f} MiB of files"
    )
    if beside is not None:
        ratios = [found[key] / beside[key] for key in ("seconds", "cpu", "mib")]
        line += "  beside polars: " + ", ".join(
            f"{ratio:.2f}× {what}" for ratio, what in zip(ratios, ("time", "CPU", "memory"), strict=True)
        )
    print(line, flush=True)


if __name__ == "__main__":
    main()
