"""Many documents: list → plan → work → records in the order of the sources.

A record is on disk the moment its document is done, so that whatever ends the run -
an error, Ctrl-C, a kill - the same command goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.errors import GongkaiError, ModelUnavailable, StartError
from pipeline.fact import Record
from pipeline.loops import run_to_end
from pipeline.model.ledger import Ledger, LedgerTotals
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
from pipeline.runs.record import RecordFile, has_records
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
    """How a run ended. `stopped` says why before its end, None when every document has a record.

    `could_not_start`: no model was to be had; only documents that need none have records.
    `seconds` are those of this session's work.
    """

    folder: Path
    summary: Summary
    listing: Listing
    written: int
    remaining: int
    stopped: str | None = None
    was_interrupted: bool = False
    could_not_start: bool = False
    spent: LedgerTotals | None = None
    seconds: float = 0.0


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
    if before is None or not has_records(folder.path):
        # Nothing was made with other settings yet, which may have been a slip.
        manifest = Manifest(identity, options.sources, (*(before.sessions if before else ()), session))
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
    began = time.monotonic()
    ending = _work(run, plan, open_engine)
    try:
        summary = _close(run, plan, manifest, ending)
    except StartError as error:
        # The first fault tells more: a disk that was full is still full.
        raise ending.error or error from error
    return RunOutcome(
        folder=run.folder.path,
        summary=summary,
        listing=run.listing,
        written=ending.written,
        remaining=plan.pending - ending.written,
        stopped=ending.stopped,
        was_interrupted=ending.was_interrupted,
        could_not_start=ending.could_not_start,
        spent=ending.spent,
        seconds=time.monotonic() - began,
    )


def _close(run: _Run, plan: Plan, manifest: Manifest, ending: _Ending) -> Summary:
    """Put the records in order, count them, and write how the session ended."""
    run.records.arrange([doc_id for doc_id in plan.order if doc_id in run.records.lines])
    summary = summarize(run.records)
    spent = None if ending.spent is None else ending.spent.as_dict()
    session = replace(manifest.sessions[-1], end=now(), stopped=ending.stopped, spent=spent)
    totals = summary.as_totals()
    if run.folder.ledger.is_file():
        with Ledger(run.folder.ledger) as ledger:
            totals["spent"] = ledger.totals.as_dict()
    sessions = (*manifest.sessions[:-1], session)
    write_manifest(run.folder.path, replace(manifest, sessions=sessions, totals=totals))
    return summary


@dataclass(slots=True)
class _Ending:
    """How the work ended. `error` is why before its end, where it is no document's doing."""

    written: int = 0
    error: GongkaiError | None = None
    was_interrupted: bool = False
    spent: LedgerTotals | None = None

    @property
    def stopped(self) -> str | None:
        """Why before its end, in words."""
        if self.was_interrupted:
            return "interrupted"
        return None if self.error is None else str(self.error)

    @property
    def could_not_start(self) -> bool:
        """Whether no model was to be had at all."""
        is_unanswered = self.spent is None or self.spent.requests == self.spent.failed
        return isinstance(self.error, ModelUnavailable) and is_unanswered and not self.was_interrupted


def _work(run: _Run, plan: Plan, open_engine: OpenEngine) -> _Ending:
    """Work off the plan. An error before the first record is raised, a later one ends the run in order."""
    ending = _Ending()
    run.progress.begin(plan.pending, len(plan.order) - plan.pending)

    def say_once() -> None:
        run.progress.say("Stopping: what is in flight is finished. Ctrl-C again stops at once.")

    with Interrupts(say_once) as interrupts:
        try:
            _copy_known(run, plan, interrupts, ending)
            if plan.needs_reading and not interrupts.stop.is_set():
                run_to_end(_read(run, plan, open_engine, interrupts, ending))
        except KeyboardInterrupt:
            run.progress.say("Stopped at once: what was in flight is done again by the same command.")
        finally:
            run.progress.end()
    ending.was_interrupted = interrupts.was_interrupted and ending.written < plan.pending
    if ending.error is not None and not run.records.lines and not ending.was_interrupted:
        raise ending.error
    return ending


def _copy_known(run: _Run, plan: Plan, interrupts: Interrupts, ending: _Ending) -> None:
    """Records of documents whose bytes are known from a record that is there."""
    for job in plan.jobs:
        if job.known is not None and not interrupts.stop.is_set():
            first = run.records.read(job.known)
            for item in job.items:
                _keep(run, done(duplicate(first, item.document, item.doc_id)))
            ending.written += len(job.items)


async def _read(
    run: _Run, plan: Plan, open_engine: OpenEngine, interrupts: Interrupts, ending: _Ending
) -> None:
    """Have the engine work off what is to be read, and write as it comes."""
    jobs = [job for job in plan.jobs if job.known is None]
    try:
        async with open_engine(run.folder, len(jobs)) as engine:
            run.progress.ready(engine.spent)
            try:
                async with aclosing(engine.work_off(jobs, interrupts.stop)) as work:
                    async for finished in work:
                        ending.written += _keep_finished(run, finished)
            finally:
                ending.error = ending.error or engine.error
                ending.spent = engine.spent()
    except GongkaiError as error:
        ending.error = ending.error or error


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
