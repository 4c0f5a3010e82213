"""`gongkai check RUN [RUN …]`: the identities within the documents of each run, and across all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Evidence
from pipeline.panel.across import RULES, Across, AcrossFinding, assess_across
from pipeline.panel.model import PanelRow
from pipeline.panel.sources import sources_of
from pipeline.panel.units import GB_2260, Places
from pipeline.panel.versions import Unplaced, choose, unplaced
from pipeline.runs.manifest import now, write_json
from pipeline.runs.recheck import CHECK, CheckResult, check_run


@dataclass(frozen=True)
class RunsChecked:
    """Findings within documents by run, those across, and what the latter rest on.

    `written` is the file with the section `across`.
    """

    runs: tuple[tuple[Path, CheckResult], ...]
    across: Across
    rows: int
    versions: Counter[str]
    unplaced: tuple[Unplaced, ...]
    written: Path


def check_runs(runs: Sequence[Path], out: Path | None = None, *, places: Places = GB_2260) -> RunsChecked:
    """Check every run and write its `check.json`; then all of them together.

    What is found across goes into `out/check.json`, else into that of the first run. No record is
    changed; a run named twice counts once. Raises StartError when a folder is no run folder or
    cannot be written.
    """
    runs = list({run.resolve(): run for run in runs}.values())
    sources = sources_of(runs, places=places)
    rows = choose(sources)
    across, outside = assess_across(rows, places=places), unplaced(sources)
    section = {"across": _as_json(across, rows, outside)}
    checked = tuple((run, check_run(run, section if out is None and run == runs[0] else {})) for run in runs)
    if out is not None:
        _write(out, {"checked_at": now(), "runs": [str(run) for run in runs], **section})
    return RunsChecked(
        checked, across, len(rows), _roles(rows), outside, written=(runs[0] if out is None else out) / CHECK
    )


def _write(folder: Path, content: dict[str, object]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{folder} cannot be made: {error.strerror or error}") from error
    write_json(folder / CHECK, content)


def _roles(rows: Sequence[PanelRow]) -> Counter[str]:
    return Counter(version.role for row in rows for version in row.versions)


def _as_json(across: Across, rows: Sequence[PanelRow], outside: Sequence[Unplaced]) -> dict[str, object]:
    return {
        "reporter_years": len(rows),
        "versions": dict(sorted(_roles(rows).items())),
        "assessed": {rule: across.assessed.get(rule, 0) for rule in RULES},
        "not_assessable": {rule: across.not_assessable.get(rule, 0) for rule in RULES},
        "findings": [_finding(each) for each in across.findings],
        "not_chosen": [
            {
                "reporter_id": row.reporter_id,
                "year": row.year,
                "run": version.source.run,
                "doc_id": version.source.doc_id,
                "role": version.role,
                "of": version.of,
                "reason": version.reason,
            }
            for row in rows
            for version in row.versions
            if version.role != "chosen"
        ],
        "unplaced": [
            {"run": each.source.run, "doc_id": each.source.doc_id, "reason": each.reason} for each in outside
        ],
    }


def _finding(across: AcrossFinding) -> dict[str, object]:
    """The finding's own names of the contract, then those of the pair."""
    return {
        **across.finding.model_dump(mode="json"),
        "reporter_id": across.reporter_id,
        "year": across.year,
        "run": across.run,
        "doc_id": across.doc_id,
        "other_run": across.other_run,
        "other_doc_id": across.other_doc_id,
        "other_evidence": _places(across.other_evidence),
        "suspect": across.suspect,
        "further": [
            {"run": each.run, "doc_id": each.doc_id, "evidence": _places(each.evidence)}
            for each in across.further
        ],
    }


def _places(evidence: Sequence[Evidence]) -> list[object]:
    return [each.model_dump(mode="json") for each in evidence]
