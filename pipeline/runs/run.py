"""Many documents: list → plan → work → records in the order of the sources.

A record is on disk the moment its document is done, so that whatever ends the run -
an error, Ctrl-C, a kill - the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.errors import GongkaiError, TransportFailed
from pipeline.fact import Record
from pipeline.runs.folder import RunFolder, locked
from pipeline.runs.manifest import (
    Manifest,
    RunIdentity,
    load_manifest,
    new_session,
    now,
    refuse_other,
    write_manifest,
)
from pipeline.runs.plan import Job, Plan, make_plan
from pipeline.runs.pool import Interrupts, Pool
from pipeline.runs.record import RecordFile
from pipeline.runs.sources import Listing
from pipeline.runs.summary import Summary, summarize
from pipeline.runs.work import Stages, duplicate, make_record

# After so many documents in a row without any answer the endpoint is taken to be gone.
MAX_TRANSPORT_FAILURES = 3

OpenStages = Callable[[RunFolder], AbstractContextManager[Stages]]


class RunProgress(Protocol):
    """Told how a run goes."""

    def begin(self, pending: int, done: int) -> None:
        """`pending` records are to be written, `done` are there."""

    def ready(self) -> None:
        """Documents are read from now on; a model may have been loaded before."""

    def add(self, record: Record) -> None:
        """A record is on disk."""

    def say(self, message: str) -> None:
        """A sentence for the person at the terminal."""

    def end(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run works; none of it changes a record."""

    concurrency: int = 1
    retry_failed: bool = False
    sources: tuple[str, ...] = ()


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


def run_documents(
    listing: Listing,
    out: Path,
    identity: RunIdentity,
    open_stages: OpenStages,
    options: RunOptions,
    progress: RunProgress,
) -> RunOutcome:
    """Make the records of all inputs in the run folder `out`, which is made or gone on with.

    `open_stages` is entered only if a document has to be read: a model is started there.
    Raises RunLocked, and StartError when the folder was made with something else than
    `identity`, cannot be written, or no model is to be had.
    """
    with locked(out) as folder:
        manifest = _begin_manifest(folder, identity, options)
        records = RecordFile(folder.path)
        try:
            return _run(_Run(folder, listing, options, progress, records), manifest, open_stages)
        finally:
            records.close()


def _begin_manifest(folder: RunFolder, identity: RunIdentity, options: RunOptions) -> Manifest:
    before = load_manifest(folder.path)
    session = new_session()
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


def _run(run: _Run, manifest: Manifest, open_stages: OpenStages) -> RunOutcome:
    plan = make_plan(run.listing.inputs, run.records.lines, retry_failed=run.options.retry_failed)
    if run.records.was_torn:
        run.progress.say("The last record was cut off when the run ended; its document is done again.")
    if plan.replaced:
        run.progress.say(f"{plan.replaced} files have changed since they were read; they are done again.")
    ending = _work(run, plan, open_stages)
    run.records.arrange([doc_id for doc_id in plan.order if doc_id in run.records.lines])
    summary = summarize(run.records)
    session = replace(manifest.sessions[-1], end=now(), stopped=ending.stopped)
    sessions = (*manifest.sessions[:-1], session)
    write_manifest(run.folder.path, replace(manifest, sessions=sessions, totals=summary.as_totals()))
    return RunOutcome(
        folder=run.folder.path,
        summary=summary,
        listing=run.listing,
        written=ending.written,
        remaining=plan.pending - ending.written,
        stopped=ending.stopped,
        was_interrupted=ending.was_interrupted,
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    written: int
    stopped: str | None
    was_interrupted: bool


def _work(run: _Run, plan: Plan, open_stages: OpenStages) -> _Ending:
    """Work off the plan. An error before the first record is raised, a later one ends the run in order."""
    written = 0
    run.progress.begin(plan.pending, len(plan.order) - plan.pending)

    def say_once() -> None:
        run.progress.say("Stopping: what is in flight is finished. Ctrl-C again stops at once.")

    with Interrupts(say_once) as interrupts:
        try:
            written += _copy_known(run, plan)
            error: GongkaiError | None = None
            if plan.needs_reading and not interrupts.stop.is_set():
                with open_stages(run.folder) as stages:
                    run.progress.ready()
                    more, error = _read(run, plan, stages, interrupts)
                    written += more
        finally:
            run.progress.end()
    if error is not None and not run.records.lines:
        raise error
    if error is None and interrupts.was_interrupted and written < plan.pending:
        return _Ending(written, "interrupted", was_interrupted=True)
    return _Ending(written, None if error is None else str(error), was_interrupted=False)


def _copy_known(run: _Run, plan: Plan) -> int:
    """Records of documents whose bytes are known from a record that is there."""
    written = 0
    for job in plan.jobs:
        if job.known is not None:
            first = run.records.read(job.known)
            for item in job.items:
                _keep(run, duplicate(first, item.document, item.doc_id))
            written += len(job.items)
    return written


def _read(run: _Run, plan: Plan, stages: Stages, interrupts: Interrupts) -> tuple[int, GongkaiError | None]:
    """Read and extract in worker threads, write in this one."""
    pool: Pool[Job, tuple[Record, ...]] = Pool(
        lambda job: _records_of(job, stages, run.folder), run.options.concurrency, interrupts.stop
    )
    written = unanswered = 0
    gone: GongkaiError | None = None
    for records in pool.over(job for job in plan.jobs if job.known is None):
        for record in records:
            _keep(run, record)
        written += len(records)
        unanswered = unanswered + 1 if records[0].error_code == TransportFailed.code else 0
        if unanswered >= MAX_TRANSPORT_FAILURES and gone is None:
            gone = TransportFailed(
                f"{unanswered} documents in a row had no answer from the model: {records[0].error} "
                "When it answers again, add --retry-failed for those that failed"
            )
            interrupts.stop.set()
    return written, pool.error or gone


def _records_of(job: Job, stages: Stages, folder: RunFolder) -> tuple[Record, ...]:
    first, *copies = job.items
    record = make_record(first.document, first.doc_id, stages, folder)
    return (record, *(duplicate(record, item.document, item.doc_id) for item in copies))


def _keep(run: _Run, record: Record) -> None:
    run.records.append(record)
    run.progress.add(record)
