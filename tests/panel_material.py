"""Made-up records of several years and places for the tests of the panel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from checks_material import Cell, Paper, requests_grid

from pipeline.fact import Finding, Record
from pipeline.metadata.issuers import issuer_type
from pipeline.panel.model import PanelRow
from pipeline.panel.sources import sources_of_records
from pipeline.panel.versions import choose
from pipeline.runs.record import RecordFile
from pipeline.schema import APPLICANTS

Rows = Mapping[str, Sequence[int]]


def requests_paper(form: str, rows: Rows, changed: Mapping[str, Cell] | None = None) -> Paper:
    """A document whose requests table is consistent but for cells that are `changed` (`row.applicant`)."""
    grid = requests_grid(form, rows)
    for path, cell in (changed or {}).items():
        row, applicant = path.split(".")
        grid[row][applicant] = cell
    return Paper(requests=form).table("requests", grid)


def made(
    doc_id: str,
    paper: Paper | None = None,
    *,
    issuer: str | None = "青岚县人民政府",
    year: int | None = 2021,
    code: str | None = None,
    level: str | None = None,
    errors: int = 0,
    **parts: object,
) -> Record:
    """A record of a paper; its bytes are those of no other record unless `sha256` is given."""
    paper = paper or Paper()
    known: dict[str, Cell | None] = {
        "issuer": issuer,
        "issuer_type": None if issuer is None else issuer_type(issuer),
        "year": year,
        "division_code": code,
        "level": level,
    }
    days = {day: str(parts.pop(day)) for day in ("published_on", "signed_on") if day in parts}
    paper.meta(**{key: value for key, value in {**known, **days}.items() if value is not None})
    content: dict[str, object] = {
        "doc_id": doc_id,
        "file": f"{doc_id}.txt",
        "sha256": hashlib.sha256(doc_id.encode()).hexdigest(),
        "media_type": "text/plain",
        "templates": paper.templates,
        "status": "ok",
        "facts": tuple(paper.facts),
        "findings": tuple(Finding(rule="r", severity="error", message="m") for _ in range(errors)),
    }
    return Record.model_validate({**content, **parts})


def failed(doc_id: str, **parts: object) -> Record:
    """A record of a document that could not be read."""
    return made(doc_id, issuer=None, year=None, status="failed", error="broken", facts=(), **parts)


def rows_of(*records: Record) -> tuple[PanelRow, ...]:
    return choose(sources_of_records(("run", record) for record in records))


def write_run(folder: Path, *records: Record) -> Path:
    """A run folder with these records, and an empty text for each."""
    folder.mkdir(parents=True, exist_ok=True)
    file = RecordFile(folder)
    for record in records:
        file.append(record)
        (folder / "text").mkdir(exist_ok=True)
        (folder / "text" / f"{record.sha256}.txt").write_text("", encoding="utf-8")
    file.close()
    return folder


def six(**by_applicant: int) -> list[int]:
    """A row of the requests table: `six(company=2)`."""
    return [by_applicant.get(applicant, 0) for applicant in APPLICANTS[:-1]]
