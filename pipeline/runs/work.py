"""One document → its record. Whatever is wrong with the document ends in the record."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.document import Document
from pipeline.errors import DocumentError, GongkaiError, ModelError, UnsupportedFormat
from pipeline.fact import Fact, Finding, Record, RecordHint, RecordPart, RecordStatus, Templates, Usage
from pipeline.read.names import REPORT_ENDINGS, readable_name
from pipeline.runs.folder import RunFolder
from pipeline.runs.record import write_text
from pipeline.runs.sources import DATA_ENDINGS, Input

DUPLICATE_RULE = "run.duplicate"
INTERNAL_CODE = "internal"


class Extracted(Protocol):
    """What extraction gives; `pipeline.extract.Extraction` is one."""

    @property
    def facts(self) -> tuple[Fact, ...]: ...  # noqa: D102
    @property
    def findings(self) -> tuple[Finding, ...]: ...  # noqa: D102
    @property
    def templates(self) -> Templates: ...  # noqa: D102
    @property
    def usage(self) -> Usage: ...  # noqa: D102


@dataclass(frozen=True)
class Stages:
    """The three steps from a file to facts. `require_report` raises NotAReport.

    `read` takes the file and what is attached to it.
    """

    read: Callable[[Path, Sequence[Path]], Document]
    require_report: Callable[[Document], None]
    extract: Callable[[Document], Extracted]


def make_record(document: Input, doc_id: str, stages: Stages, folder: RunFolder) -> Record:
    """The record of one document; its canonical text is kept in the run folder.

    A DocumentError or ModelError becomes a failed record, and so does a fault of the
    program itself, with its traceback in `crashes/`. Every other GongkaiError is none of
    this document's doing and is raised: the model is gone, the folder cannot be written.
    """
    began = time.monotonic()
    try:
        record = _read_and_extract(document, doc_id, stages, folder)
    except (DocumentError, ModelError) as error:
        record = failed(document, doc_id, str(error), error.code)
    except GongkaiError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault on one document must not end the run; it is kept whole
        record = failed(document, doc_id, _crash(document, error, folder), INTERNAL_CODE)
    seconds = round(time.monotonic() - began, 3)
    return record.model_copy(update={"usage": record.usage.model_copy(update={"seconds": seconds})})


def _read_and_extract(document: Input, doc_id: str, stages: Stages, folder: RunFolder) -> Record:
    ending = document.path.suffix.lower()
    if ending in DATA_ENDINGS:
        raise UnsupportedFormat(
            f"{document.file}: {ending} is no report format; readable are {' '.join(sorted(REPORT_ENDINGS))}"
        )
    attached = [each.path for each in document.attachments]
    read = stages.read(document.path, attached)
    read = replace(read, doc_id=doc_id, file=document.file, hint=document.hint)
    write_text(folder.path, read.sha256, read.text)
    stages.require_report(read)
    extracted = stages.extract(read)
    return Record(
        doc_id=doc_id,
        file=document.file,
        sha256=read.sha256,
        media_type=read.media_type,
        templates=extracted.templates,
        status=status_of(extracted.findings),
        facts=extracted.facts,
        findings=extracted.findings,
        usage=extracted.usage,
        parts=(*_inside(read), *_beside(document)),
        hint=_hint(document),
    )


def _inside(read: Document) -> tuple[RecordPart, ...]:
    return tuple(
        RecordPart(file=part.file, sha256=part.sha256, place="inside")
        for part in read.parts
        if part.place == "inside"
    )


def _beside(document: Input) -> tuple[RecordPart, ...]:
    """All that is attached, also what could not be read: a resume asks whether it has changed."""
    return tuple(
        RecordPart(file=each.file, sha256=each.sha256, place="beside") for each in document.attachments
    )


def _hint(document: Input) -> RecordHint | None:
    hint = document.hint
    return None if hint is None else RecordHint(url=hint.url, place=hint.place, year=hint.year)


def status_of(findings: Iterable[Finding]) -> RecordStatus:
    """`flagged` where a finding is an error or a warning; notes do not flag."""
    return "flagged" if any(finding.severity != "note" for finding in findings) else "ok"


def failed(document: Input, doc_id: str, reason: str, code: str) -> Record:
    """The record of a document that could not be done."""
    return Record(
        doc_id=doc_id,
        file=document.file,
        sha256=document.sha256,
        media_type=None,
        status="failed",
        # Readers quote the name as the file system has it, which need not be text.
        error=readable_name(reason.replace(document.path.name, Path(document.file).name)),
        error_code=code,
        parts=_beside(document),
        hint=_hint(document),
    )


def _crash(document: Input, error: Exception, folder: RunFolder) -> str:
    """Keep the traceback and say where."""
    name = re.sub(r"\W", "_", document.sha256 or document.stem)
    path = folder.crashes / f"{name}.txt"
    try:
        path.parent.mkdir(exist_ok=True)
        lines = "".join(traceback.format_exception(error))
        path.write_text(lines, encoding="utf-8", errors="backslashreplace")
        where = f"the traceback is in {path.parent.name}/{path.name} of the run folder"
    except OSError as fault:
        where = f"its traceback could not be kept: {fault}"
    return f"{document.file}: the program failed ({type(error).__name__}: {error}); {where}. Please report it"


def duplicate(first: Record, document: Input, doc_id: str) -> Record:
    """The record of a document with the same bytes as another one: its facts, a note, no cost."""
    note = Finding(
        rule=DUPLICATE_RULE,
        severity="note",
        cause="unknown",
        at=first.doc_id,
        message=f"{DUPLICATE_RULE}: the same file as {first.file} ({first.doc_id}), read once",
    )
    findings = tuple(finding for finding in first.findings if finding.rule != DUPLICATE_RULE)
    update = {"doc_id": doc_id, "file": document.file, "findings": (*findings, note), "usage": Usage()}
    return first.model_copy(update=update)
