"""Many documents: list → plan → work → records in the order of the sources.

A record is on disk the moment its document is done, so that whatever ends the run -
an error, Ctrl-C, a kill - the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.errors import GongkaiError
from pipeline.fact import Record
from pipeline.loops import run_to_end
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.brief import RecordBrief
from pipeline.runs.engine import Engine, Finished
from pipeline.runs.folder import RunFolder, locked
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.manifest import (
    Manifest,
    RunIdentity,
    load_manifest,
    new_session,
    now,
    refuse_other,
    write_manifest,
)
from pipeline.runs.plan import Plan, make_plan
from pipeline.runs.record import RecordFile
from pipeline.runs.sources import Listing
from pipeline.runs.summary import Summary, summarize
from pipeline.runs.work import Done, done, duplicate

OpenEngine = Callable[[RunFolder, int], AbstractAsyncContextManager[Engine]]


class RunProgress(Protocol):
    """Told how a run goes."""

    def begin(self, pending: int, done: int) -> None:
        """`pending` records are to be written, `done` are there."""

    def ready(self, spent: Callable[[], LedgerTotals | None]) -> None:
        """Documents are read from now on; a model may have been loaded before. `spent` tells the cost."""

    def add(self, brief: RecordBrief) -> None:
        """A record is on disk."""

    def say(self, message: str) -> None:
        """A sentence for the person at the terminal."""

    def end(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What of a run changes no record."""

    retry_failed: bool = False
    sources: tuple[str, ...] = ()
    engine: str = "local"


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended. `stopped` says why before its end, None when every document has a record."""

    folder: Path
    summary: Summary
    listing: Listing
    written: int
    remaining: int
    stopped: str | None = None
    was_interrupted: bool = False
    spent: LedgerTotals | None = None


def run_documents(
    listing: Listing,
    out: Path,
    identity: RunIdentity,
    open_engine: OpenEngine,
    options: RunOptions,
    progress: RunProgress,
) -> RunOutcome:
    """Make the records of all inputs in the run folder `out`, which is made or gone on with.

    `open_engine` is entered only if documents have to be read, and told how many: a model is
    started there. Raises RunLocked, and StartError when the folder was made with something
    else than `identity`, cannot be written, or no model is to be had.
    """
    with locked(out) as folder:
        manifest = _begin_manifest(folder, identity, options)
        records = RecordFile(folder.path)
        try:
            return _run(_Run(folder, listing, options, progress, records), manifest, open_engine)
        finally:
            records.close()


def _begin_manifest(folder: RunFolder, identity: RunIdentity, options: RunOptions) -> Manifest:
    before = load_manifest(folder.path)
    session = new_session(options.engine)
    if before is None:
        manifest = Manifest(identity, options.sources, (session,))
    else:
        refuse_other(folder.path, before.identity, identity)
        sources = tuple(dict.fromkeys((*before.sources, *options.sources)))
        manifest = replace(before, sources=sources, sessions=(*before.sessions, session))
    write_manifest(folder.path, manifest)
    return manifest


@dataclass(frozen=True)
class _Run:
    """What the steps of one run share."""

    folder: RunFolder
    listing: Listing
    options: RunOptions
    progress: RunProgress
    records: RecordFile


def _run(run: _Run, manifest: Manifest, open_engine: OpenEngine) -> RunOutcome:
    plan = make_plan(run.listing.inputs, run.records.lines, retry_failed=run.options.retry_failed)
    if run.records.was_torn:
        run.progress.say("The last record was cut off when the run ended; its document is done again.")
    if plan.replaced:
        run.progress.say(f"{plan.replaced} files have changed since they were read; they are done again.")
    ending = _work(run, plan, open_engine)
    run.records.arrange([doc_id for doc_id in plan.order if doc_id in run.records.lines])
    summary = summarize(run.records)
    session = replace(manifest.sessions[-1], end=now(), stopped=ending.stopped)
    sessions = (*manifest.sessions[:-1], session)
    totals = summary.as_totals()
    if ending.spent is not None:
        totals["spent"] = ending.spent.as_dict()
    elif "spent" in manifest.totals:
        totals["spent"] = manifest.totals["spent"]
    write_manifest(run.folder.path, replace(manifest, sessions=sessions, totals=totals))
    return RunOutcome(
        folder=run.folder.path,
        summary=summary,
        listing=run.listing,
        written=ending.written,
        remaining=plan.pending - ending.written,
        stopped=ending.stopped,
        was_interrupted=ending.was_interrupted,
        spent=ending.spent,
    )


@dataclass(slots=True)
class _Ending:
    written: int = 0
    error: GongkaiError | None = None
    stopped: str | None = None
    was_interrupted: bool = False
    spent: LedgerTotals | None = None


def _work(run: _Run, plan: Plan, open_engine: OpenEngine) -> _Ending:
    """Work off the plan. An error before the first record is raised, a later one ends the run in order."""
    ending = _Ending()
    run.progress.begin(plan.pending, len(plan.order) - plan.pending)

    def say_once() -> None:
        run.progress.say("Stopping: what is in flight is finished. Ctrl-C again stops at once.")

    with Interrupts(say_once) as interrupts:
        try:
            ending.written += _copy_known(run, plan)
            if plan.needs_reading and not interrupts.stop.is_set():
                run_to_end(_read(run, plan, open_engine, interrupts, ending))
        finally:
            run.progress.end()
    if ending.error is not None and not run.records.lines:
        raise ending.error
    if ending.error is not None:
        ending.stopped = str(ending.error)
    elif interrupts.was_interrupted and ending.written < plan.pending:
        ending.stopped, ending.was_interrupted = "interrupted", True
    return ending


def _copy_known(run: _Run, plan: Plan) -> int:
    """Records of documents whose bytes are known from a record that is there."""
    written = 0
    for job in plan.jobs:
        if job.known is not None:
            first = run.records.read(job.known)
            for item in job.items:
                _keep(run, done(duplicate(first, item.document, item.doc_id)))
            written += len(job.items)
    return written


async def _read(
    run: _Run, plan: Plan, open_engine: OpenEngine, interrupts: Interrupts, ending: _Ending
) -> None:
    """Have the engine work off what is to be read, and write as it comes."""
    jobs = [job for job in plan.jobs if job.known is None]
    async with open_engine(run.folder, len(jobs)) as engine:
        run.progress.ready(engine.spent)
        try:
            async for finished in engine.work_off(jobs, interrupts.stop):
                ending.written += _keep_finished(run, finished)
        except GongkaiError as error:
            ending.error = error
        ending.error = ending.error or engine.error
        ending.spent = engine.spent()


def _keep_finished(run: _Run, finished: Finished) -> int:
    _keep(run, finished.record)
    _, *copies = finished.job.items
    if copies:
        first = Record.model_validate_json(finished.record.line)
        for item in copies:
            _keep(run, done(duplicate(first, item.document, item.doc_id)))
    return len(finished.job.items)


def _keep(run: _Run, record: Done) -> None:
    run.records.append_line(record.line, record.brief)
    run.progress.add(record.brief)
