"""`gongkai check`: the identities once more over the records of a run. Nothing is read or asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pipeline.checks import check_facts
from pipeline.errors import StartError
from pipeline.fact import Finding, Record
from pipeline.runs.manifest import now, write_json
from pipeline.runs.record import read_records, read_text, text_path

CHECK = "check.json"


@dataclass(frozen=True)
class Checked:
    """A document's findings of now. `new` are those that its record does not have."""

    doc_id: str
    findings: tuple[Finding, ...]
    new: tuple[Finding, ...]


@dataclass(frozen=True)
class CheckResult:
    """Every document that could be checked, and those that could not with the reason."""

    checked: tuple[Checked, ...]
    unchecked: tuple[tuple[str, str], ...]


def check_run(folder: Path, sections: Mapping[str, object] = MappingProxyType({})) -> CheckResult:
    """Run the identities over all records and write `check.json`; the records stay as they are.

    `sections` are written with it: what was found across documents.

    Raises StartError when the folder is no run folder or cannot be written.
    """
    checked: list[Checked] = []
    unchecked: list[tuple[str, str]] = []
    for record in read_records(folder):
        if record.status == "failed":
            unchecked.append((record.doc_id, f"failed: {record.error}"))
        else:
            checked.append(_checked(folder, record))
    result = CheckResult(tuple(checked), tuple(unchecked))
    write_json(folder / CHECK, {**_as_json(result), **sections})
    return result


def _checked(folder: Path, record: Record) -> Checked:
    text = read_text(folder, record.sha256)
    if text is None:
        raise StartError(
            f"{text_path(folder, record.sha256)} is missing: the text of {record.doc_id} is needed. "
            "Run `gongkai extract` on it in a new folder"
        )
    # Only the table reader's complaints bear on the suspected cause; the checks' own are made anew.
    reading = tuple(finding for finding in record.findings if finding.rule.startswith("table."))
    findings = check_facts(text, record.facts, record.templates, reading)
    return Checked(record.doc_id, findings, tuple(item for item in findings if item not in record.findings))


def _as_json(result: CheckResult) -> dict[str, object]:
    return {
        "checked_at": now(),
        "documents": len(result.checked),
        "findings": sum(len(item.findings) for item in result.checked),
        "new_findings": sum(len(item.new) for item in result.checked),
        "by_document": {
            item.doc_id: [finding.model_dump(mode="json") for finding in item.findings]
            for item in result.checked
        },
        "not_checked": dict(result.unchecked),
    }


def finding_pairs(result: CheckResult) -> Iterator[tuple[str, Finding]]:
    """Every finding with its document."""
    for item in result.checked:
        for finding in item.findings:
            yield item.doc_id, finding
