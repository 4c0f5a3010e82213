"""Runs → files for analysis: facts, panel, reports, documents, findings, corrections, codebook.

runs → tables.py → formats.py → files
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import StartError
from pipeline.export.formats import Format, tables_writer
from pipeline.export.made_with import MadeWith, made_with
from pipeline.export.tables import RunTables


def export_run(run: Path, format_name: Format, out: Path, scores: Path | None = None) -> dict[str, int]:
    """The same as `export_runs` for one run."""
    return export_runs([run], format_name, out, scores)


def export_runs(
    runs: Sequence[Path], format_name: Format, out: Path, scores: Path | None = None
) -> dict[str, int]:
    """Write the tables of all runs together into `out`; the number of rows of each.

    `scores` is a `scores.json` for the card of `datasets`. Raises UsageError when it does not
    fit or a library is missing, StartError when a run cannot be read or `out` not written.
    """
    write = tables_writer(format_name)
    tables = RunTables(runs)
    tables.require_runs()
    made = _made_with(tables, scores)
    try:
        out.mkdir(parents=True, exist_ok=True)
        return write(out, tables, made)
    except OSError as error:
        raise StartError(
            f"{out}: cannot be written ({error.strerror or error}). Name another folder with --out"
        ) from error


def _made_with(tables: RunTables, scores: Path | None) -> MadeWith:
    """What the runs were made with: once where it is the same, else each under its name."""
    runs = tables.runs
    made = [made_with(run, scores, tables.reviews.get(run)) for run in runs]
    is_reviewed = any(each.is_reviewed for each in made)
    # Two reviews that come to the same counts are two reviews all the same.
    if len(made) == 1 or (not is_reviewed and all(each.lines == made[0].lines for each in made)):
        return made[0]
    lines = {
        # Not the whole path: what is exported goes to other people.
        f"run {number}, {run.resolve().name}: {name}": content
        for number, (run, each) in enumerate(zip(runs, made, strict=True), start=1)
        for name, content in each.lines.items()
    }
    return MadeWith(lines, made[0].scores, is_reviewed)
