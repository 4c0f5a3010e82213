"""Made-up reports of places that do not exist, and stages that need no model, for tests of runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.document import Document
from pipeline.errors import NotAReport
from pipeline.fact import Evidence, Fact, Finding, Record, Templates, Usage
from pipeline.model.endpoint import Message
from pipeline.model.ledger import LedgerTotals
from pipeline.model.question import Question, Steps
from pipeline.read import read_document_with_parts
from pipeline.runs.brief import RecordBrief
from pipeline.runs.engine import Engine
from pipeline.runs.folder import RunFolder
from pipeline.runs.local_engine import Ask, LocalEngine
from pipeline.runs.manifest import RunIdentity
from pipeline.runs.run import OpenEngine, RunOptions, RunOutcome, run_documents
from pipeline.runs.sources import list_inputs
from pipeline.runs.work import Stages
from pipeline.runs.workers import InlineWorkers

ROOT = Path(__file__).parents[1]
REPORT = "{place}人民政府2017年政府信息公开工作年度报告\n\n二、主动公开情况\n\n全年主动公开信息{count}条。\n"
_FIGURE = re.compile(r"主动公开信息(\d+)条")


def report(place: str = "青岚县", count: int = 120) -> str:
    """A short report in prose with one figure."""
    return REPORT.format(place=place, count=count)


def write_reports(folder: Path, count: int) -> Path:
    """`r000.txt` … each with its own figure."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"r{number:03d}.txt").write_text(report(count=100 + number), encoding="utf-8")
    return folder


class Extraction:
    """What `stub_extract` gives."""

    def __init__(self, facts: tuple[Fact, ...], findings: tuple[Finding, ...] = ()) -> None:
        self.facts = facts
        self.findings = findings
        self.templates = Templates(document="narrative")
        self.usage = Usage(requests=1, input_tokens=10, output_tokens=2)


def stub_extract(document: Document) -> Extraction:
    """The one figure of `report`, found by its words."""
    found = _FIGURE.search(document.text)
    if found is None:
        return Extraction(())
    place = Evidence(start=found.start(1), end=found.end(1))
    return Extraction(
        (
            Fact(
                path="proactive.total",
                value=int(found[1]),
                raw=found[1],
                unit="条",
                source="narrative",
                method="rule",
                evidence=place,
            ),
        )
    )


def stub_require(document: Document) -> None:
    """A report says so."""
    if "年度报告" not in document.text:
        raise NotAReport(f"{document.file}: no annual report: 年度报告 is nowhere in it")


@dataclass(frozen=True)
class AskingNobody:
    """An extraction that asks nobody, as steps that can be sent to a process."""

    extract: Callable[[Document], Extraction]

    def __call__(self, document: Document) -> Steps[Extraction]:
        return self.extract(document)
        yield ()


class AnyForm:
    """Every answer fits."""

    schema_json = "{}"

    def check(self, content: str) -> None:
        """Nothing to find fault with."""


def asking(document: Document) -> Steps[Extraction]:
    """An extraction that asks one question, which names its document."""
    yield (Question((Message("user", document.doc_id),), AnyForm(), "0" * 64, 10),)
    return stub_extract(document)


STAGES = Stages(read_document_with_parts, stub_require, AskingNobody(stub_extract))
ASKING_STAGES = Stages(read_document_with_parts, stub_require, asking)
IDENTITY = RunIdentity(strategy="rules", schema_sha256="0" * 64)


class Watcher:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.records: list[RecordBrief] = []
        self.messages: list[str] = []

    def begin(self, pending: int, done: int) -> None:
        self.messages.append(f"{pending} to do, {done} done")

    def ready(self, spent: Callable[[], LedgerTotals | None]) -> None:
        self.messages.append("ready")

    def add(self, brief: RecordBrief) -> None:
        self.records.append(brief)

    def say(self, message: str) -> None:
        self.messages.append(message)

    def end(self) -> None:
        self.messages.append("end")


def opener(stages: Stages = STAGES, ask: Ask | None = None, at_a_time: int = 1) -> OpenEngine:
    """An engine that does `stages` in this process, opened whenever asked for."""

    @asynccontextmanager
    async def opened(folder: RunFolder, pending: int) -> AsyncIterator[Engine]:
        yield LocalEngine(InlineWorkers(stages, folder), ask, at_a_time)

    return opened


def never(folder: RunFolder, pending: int) -> AbstractAsyncContextManager[Engine]:
    """For runs in which nothing is left to read."""
    raise AssertionError("a model was asked for")


def run(
    *sources: Path,
    out: Path,
    engine: OpenEngine | None = None,
    identity: RunIdentity = IDENTITY,
    watcher: Watcher | None = None,
    retry_failed: bool = False,
) -> RunOutcome:
    """A run over `sources`, with the stub stages unless `engine` says otherwise."""
    return run_documents(
        list_inputs(sources, out),
        out,
        identity,
        engine or opener(),
        RunOptions(retry_failed),
        watcher or Watcher(),
    )


def record(doc_id: str, **parts: object) -> Record:
    """A record with one fact."""
    fact = Fact(
        path="proactive.total",
        value=3,
        raw="3",
        source="narrative",
        method="rule",
        evidence=Evidence(start=0, end=1),
    )
    content: Mapping[str, object] = {
        "doc_id": doc_id,
        "file": f"{doc_id}.txt",
        "sha256": doc_id.ljust(64, "0"),
        "media_type": "text/plain",
        "status": "ok",
        "facts": (fact,),
    }
    return Record.model_validate({**content, **parts})
