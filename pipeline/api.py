"""What `import pipeline` offers: one report extracted, and the tables of runs as frames.

    report = pipeline.extract("a.pdf")          report.facts, report.findings, report.text, report.frame()
    run = pipeline.read_run("run")              run.panel(), run.facts(), run.documents(), run.findings()

Where people have checked figures (`gongkai review`), all frames follow them: facts in force are the rows
of run.facts() with `superseded` "no", run.corrections() has both readings, run.records() the machine's.

Frames are of pandas, or of polars with `as_polars=True`. Their columns are those of the exported
tables; `run.codebook()` says what they mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from pipeline.document import Document
from pipeline.errors import UsageError
from pipeline.export.arrow import arrow_schema, arrow_tables
from pipeline.export.rows import FACTS, fact_rows
from pipeline.export.table import Table
from pipeline.export.tables import RunTables, TableName
from pipeline.extraction import Extraction, Strategy, extract_document, extraction_steps
from pipeline.fact import Fact, Finding, Record, Source, Templates
from pipeline.metadata.reading import require_report
from pipeline.model.question import Question, Reply, Steps
from pipeline.panel.harmonised import Harmonised, harmonise
from pipeline.read import read_document_with_parts
from pipeline.runs.record import read_lines, read_text
from pipeline.runs.work import status_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from pipeline.runs.session import ModelChoice

AnyPath = str | PathLike[str]
R = TypeVar("R")

_PREFERRED: tuple[Source, ...] = ("table", "metadata", "narrative")


@dataclass(frozen=True)
class ExtractedReport:
    """One report: its record, and the canonical text that all evidence points into."""

    record: Record
    text: str

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every value with its status, print and place."""
        return self.record.facts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What does not add up, and what could not be read."""
        return self.record.findings

    @property
    def templates(self) -> Templates:
        """The form of the report and of each of its tables."""
        return self.record.templates

    def get(self, path: str, source: Source | None = None) -> Fact | None:
        """The first fact of a field, that of a table before that of prose; None where there is none."""
        found = [fact for fact in self.facts if fact.path == path and source in (None, fact.source)]
        return min(found, key=lambda fact: _PREFERRED.index(fact.source), default=None)

    def printed(self, fact: Fact) -> str:
        """What the report prints where the fact was found: a figure with its cell or words."""
        return self.text[fact.evidence.start : fact.evidence.end]

    def harmonised(self) -> Harmonised:
        """The variables and rates of the crosswalk."""
        year, issuer_type, level = (self.get(f"meta.{name}") for name in ("year", "issuer_type", "level"))
        return harmonise(
            self.record,
            year.value if year is not None and isinstance(year.value, int) else None,
            str(issuer_type.value) if issuer_type is not None else None,
            str(level.value) if level is not None else None,
        )

    @overload
    def frame(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def frame(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def frame(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """The facts as a frame, one row a fact."""
        return _frame((FACTS, fact_rows([self.record])), as_polars=as_polars)


def extract(
    path: AnyPath,
    *,
    attachments: Sequence[AnyPath] = (),
    strategy: Strategy = "rules",
    model: str | None = None,
    base_url: str | None = None,
) -> ExtractedReport:
    """Extract one report, of any carrier that `gongkai extract` reads.

    `strategy` "rules" asks no model; "label" and "fill" ask the embedded one, `model` of them, or
    `model` at `base_url`, with the key in GONGKAI_API_KEY; nothing is stored. Many files, or files
    from strangers, are better read by `gongkai extract`: it resumes, and reads each file in a process of
    its own with limits of time and memory. Raises DocumentError when the file cannot be read or is
    no report, UsageError for options that do not go together, ModelError when a model gives no answer.
    """
    from pipeline.runs.session import ModelChoice, check_choice

    choice = ModelChoice(strategy, model, base_url)
    check_choice(choice)
    document = read_document_with_parts(Path(path), [Path(each) for each in attachments])
    require_report(document)
    extraction = extract_document(document) if strategy == "rules" else _to_end(_asked(document, choice))
    return ExtractedReport(_record(document, extraction), document.text)


def _record(document: Document, extraction: Extraction) -> Record:
    return Record(
        doc_id=document.doc_id,
        file=document.file,
        sha256=document.sha256,
        media_type=document.media_type,
        templates=extraction.templates,
        status=status_of(extraction.findings),
        facts=extraction.facts,
        findings=extraction.findings,
        usage=extraction.usage,
    )


async def _asked(document: Document, choice: ModelChoice) -> Extraction:
    """Extract with a model. What it stores of its answers goes with the temporary folder."""
    from pipeline.runs.folder import RunFolder
    from pipeline.runs.session import label_options, opened_client
    from pipeline.terminal import error_console

    with TemporaryDirectory() as folder:
        async with opened_client(choice, error_console(), RunFolder(Path(folder))) as ask:
            return await _driven(extraction_steps(document, choice.strategy, label_options(choice)), ask)


async def _driven(steps: Steps[R], ask: Callable[[Question], Awaitable[Reply]]) -> R:
    """Run steps to their result; questions that may be asked at the same time are."""
    try:
        questions = next(steps)
        while True:
            questions = steps.send(await asyncio.gather(*map(ask, questions)))
    except StopIteration as end:
        result: R = end.value
        return result


def _to_end(work: Coroutine[Any, Any, R]) -> R:
    """The result of `work`; in a thread of its own where a loop runs already, as in notebooks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Run:
    """One or several run folders as frames. Each frame is made anew from the folders when asked for."""

    def __init__(self, runs: Sequence[Path]) -> None:
        """Raises StartError when one is no run folder."""
        self._tables = RunTables(runs)
        for folder in self.runs:
            next(read_lines(folder), None)

    @property
    def runs(self) -> tuple[Path, ...]:
        """The run folders."""
        return self._tables.runs

    def __repr__(self) -> str:
        return f"Run({', '.join(map(str, self.runs))})"

    def records(self) -> Iterator[Record]:
        """The records as they were written, one after the other: the machine's facts alone."""
        return (source.written for source in self._tables.sources)

    def text(self, doc_id: str) -> str | None:
        """The canonical text of a document, which `start` and `end` of its facts count in."""
        for source in self._tables.sources:
            if source.doc_id == doc_id:
                texts = (read_text(folder, source.sha256) for folder in self.runs)
                return next((text for text in texts if text is not None), None)
        return None

    @overload
    def facts(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def facts(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def facts(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a fact: every value with its status, print and place.

        Where a person corrected the machine both have a row; those in force have `superseded` "no".
        """
        return self._frame("facts", as_polars=as_polars)

    @overload
    def panel(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def panel(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def panel(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row an issuer and year: harmonised variables, rates, all fields as printed."""
        return self._frame("panel", as_polars=as_polars)

    @overload
    def reports(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def reports(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def reports(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a document, all fields as printed."""
        return self._frame("reports", as_polars=as_polars)

    @overload
    def documents(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def documents(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def documents(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a document: file, issuer, dates, status, which version it is, what it cost."""
        return self._frame("documents", as_polars=as_polars)

    @overload
    def findings(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def findings(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def findings(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a finding, within a document or across several."""
        return self._frame("findings", as_polars=as_polars)

    @overload
    def corrections(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def corrections(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def corrections(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a change that a person made to a figure, the machine's reading beside the person's."""
        return self._frame("corrections", as_polars=as_polars)

    @overload
    def codebook(self, *, as_polars: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def codebook(self, *, as_polars: Literal[True]) -> pl.DataFrame: ...
    def codebook(self, *, as_polars: bool = False) -> pd.DataFrame | pl.DataFrame:
        """One row a variable: labels, unit, forms, notice, caveat, how often it is missing."""
        return self._frame("codebook", as_polars=as_polars)

    def _frame(self, name: TableName, *, as_polars: bool) -> pd.DataFrame | pl.DataFrame:
        return _frame(self._tables.table(name), as_polars=as_polars)


def read_run(path: AnyPath, *more: AnyPath) -> Run:
    """The run folder that `gongkai extract` wrote; several become one panel.

    Raises StartError when one is no run folder.
    """
    return Run([Path(each) for each in (path, *more)])


@overload
def _frame(table: Table, *, as_polars: Literal[False]) -> pd.DataFrame: ...
@overload
def _frame(table: Table, *, as_polars: Literal[True]) -> pl.DataFrame: ...
@overload
def _frame(table: Table, *, as_polars: bool) -> pd.DataFrame | pl.DataFrame: ...
def _frame(table: Table, *, as_polars: bool) -> pd.DataFrame | pl.DataFrame:
    """A table as a frame; whole numbers stay whole where some are missing."""
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]

    spec, rows = table
    if as_polars:
        _require_polars()
    arrow = pa.concat_tables([arrow_schema(spec).empty_table(), *arrow_tables(spec, rows)])
    if as_polars:
        import polars as pl

        return pl.DataFrame(arrow)
    frame: pd.DataFrame = arrow.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def _require_polars() -> None:
    try:
        import polars  # noqa: F401
    except ImportError as error:
        raise UsageError("as_polars=True needs polars: pip install 'gongkai[polars]'") from error
