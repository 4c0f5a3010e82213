"""One document → its record, step by step. Whatever is wrong with the document ends in the record.

A `Bench` holds the documents that are being worked on in one process: it begins one, gives
out what is to be asked, and goes on with the replies.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.document import Document
from pipeline.errors import DocumentError, GongkaiError, ModelError, TooLarge, UnsupportedFormat
from pipeline.fact import Fact, Finding, Record, RecordHint, RecordPart, RecordStatus, Templates, Usage
from pipeline.model.question import Question, Reply, Steps
from pipeline.read.names import REPORT_ENDINGS, readable_name
from pipeline.runs.brief import RecordBrief, brief_of
from pipeline.runs.folder import RunFolder
from pipeline.runs.record import record_line, write_text
from pipeline.runs.sources import DATA_ENDINGS, Input

DUPLICATE_RULE = "run.duplicate"
INTERNAL_CODE = "internal"


class Extracted(Protocol):
    """What extraction gives; `pipeline.extraction.Extraction` is one."""

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
    extract: Callable[[Document], Steps[Extracted]]


@dataclass(frozen=True, slots=True)
class Asks:
    """A document waits for replies to these questions."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A document's record as its line, and in brief."""

    line: bytes
    brief: RecordBrief


@dataclass(frozen=True, slots=True)
class Stopped:
    """Something that is no document's doing: the run must end."""

    error: GongkaiError


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """Memory ran out while other documents were held too: this one is to be tried alone."""


Step: TypeAlias = Asks | Done | Stopped | OutOfMemory


@dataclass(frozen=True, slots=True)
class _Held:
    document: Input
    doc_id: str
    steps: Steps[Record]


class Bench:
    """The documents that one process works on, by the tickets that the caller gives them."""

    def __init__(self, stages: Stages, folder: RunFolder, memory_bytes: int = 0) -> None:
        """`memory_bytes` is the limit of the process, for messages."""
        self._stages = stages
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._held: dict[int, _Held] = {}
        self._is_fresh = True

    def begin(self, ticket: int, document: Input, doc_id: str) -> Step:
        """Read a document and go as far as it goes without replies."""
        steps = record_steps(document, doc_id, self._stages, self._folder)
        self._held[ticket] = _Held(document, doc_id, steps)
        return self._step(ticket, None)

    def go_on(self, ticket: int, replies: Sequence[Reply] | GongkaiError) -> Step:
        """Go on with the replies, or with why there are none."""
        return self._step(ticket, replies)

    def drop(self, ticket: int) -> None:
        """Forget a document that is to be begun anew."""
        held = self._held.pop(ticket, None)
        if held is not None:
            held.steps.close()

    def _step(self, ticket: int, replies: Sequence[Reply] | GongkaiError | None) -> Step:
        held, is_alone = self._held[ticket], self._is_fresh and len(self._held) == 1
        self._is_fresh = False
        try:
            if isinstance(replies, GongkaiError):
                return Asks(held.steps.throw(replies))
            return Asks(next(held.steps) if replies is None else held.steps.send(replies))
        except StopIteration as end:
            step: Step = done(end.value)
        except GongkaiError as error:
            step = Stopped(error)
        except MemoryError:
            step = done(self._too_large(held)) if is_alone else OutOfMemory()
        del self._held[ticket]
        return step

    def _too_large(self, held: _Held) -> Record:
        reason = (
            f"{held.document.file}: reading needs more than {self._memory_bytes // 2**20:,} MiB of memory, "
            "which is the limit. Cut the report out of the file, or save it in another format."
        )
        return failed(held.document, held.doc_id, reason, TooLarge.code)


def done(record: Record) -> Done:
    """A record that is ready to be written."""
    return Done(record_line(record), brief_of(record))


def record_steps(document: Input, doc_id: str, stages: Stages, folder: RunFolder) -> Steps[Record]:
    """The record of one document; its canonical text is kept in the run folder.

    A DocumentError or ModelError becomes a failed record, and so does a fault of the
    program itself, with its traceback in `crashes/`. Every other GongkaiError is none of
    this document's doing and is raised: the model is gone, the folder cannot be written.
    """
    began = time.monotonic()
    try:
        record = yield from _read_and_extract(document, doc_id, stages, folder)
    except (DocumentError, ModelError) as error:
        record = failed(document, doc_id, str(error), error.code, spent_in_vain(error))
    except GongkaiError:
        raise
    except MemoryError:
        raise  # the process's fault as much as the document's: the bench decides
    except Exception as error:  # noqa: BLE001 - a fault on one document must not end the run; it is kept whole
        record = failed(document, doc_id, _crash(document, error, folder), INTERNAL_CODE)
    seconds = round(time.monotonic() - began, 3)
    return record.model_copy(update={"usage": record.usage.model_copy(update={"seconds": seconds})})


def _read_and_extract(document: Input, doc_id: str, stages: Stages, folder: RunFolder) -> Steps[Record]:
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
    extracted = yield from stages.extract(read)
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


def spent_in_vain(error: GongkaiError) -> Usage:
    """What a model was asked before it failed."""
    spent = error.spent if isinstance(error, ModelError) else None
    return spent if isinstance(spent, Usage) else Usage()


def failed(document: Input, doc_id: str, reason: str, code: str, usage: Usage | None = None) -> Record:
    """The record of a document that could not be done; `usage` is what was asked in vain."""
    return Record(
        doc_id=doc_id,
        file=document.file,
        sha256=document.sha256,
        media_type=None,
        status="failed",
        # Readers quote the name as the file system has it, which need not be text.
        error=readable_name(reason.replace(document.path.name, Path(document.file).name)),
        error_code=code,
        usage=usage or Usage(),
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
    error = (
        None if first.error is None else first.error.replace(Path(first.file).name, Path(document.file).name)
    )
    update = {
        "doc_id": doc_id,
        "file": document.file,
        "findings": (*findings, note),
        "usage": Usage(),
        "error": error,
    }
    return first.model_copy(update=update)
