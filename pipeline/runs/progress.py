"""How a run goes, on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from pipeline.model.catalog import Progress as ByteProgress
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.brief import RecordBrief
from pipeline.terminal import printable, say

_PLAIN_LINE_SECONDS = 10.0
_ENOUGH_FOR_PACE = 20


class Tally:
    """Counts of one session and what follows from them."""

    def __init__(self) -> None:
        self.pending = self.done_before = 0
        self.written = self.failed = self.facts = self.findings = 0
        self._spent: Callable[[], LedgerTotals | None] | None = None
        self._began = time.monotonic()

    def begin(self, pending: int, done: int) -> None:
        """Start the clock: `pending` records to write, `done` there already."""
        self.pending, self.done_before = pending, done
        self._began = time.monotonic()

    def restart(self, spent: Callable[[], LedgerTotals | None]) -> None:
        """Start the clock again: time before this is not the documents'. `spent` tells the cost."""
        self._began = time.monotonic()
        self._spent = spent

    def add(self, brief: RecordBrief) -> None:
        """Count a record."""
        self.written += 1
        self.failed += brief.status == "failed"
        self.facts += brief.fact_count
        self.findings += brief.finding_count

    def line(self) -> str:
        """All of it in one line."""
        parts = [f"{self.facts} facts", f"{self.findings} findings"]
        if self.failed:
            parts.insert(0, f"{self.failed} failed")
        return ", ".join([*parts, *self._cost(), *self._pace()])

    def _cost(self) -> list[str]:
        spent = self._spent() if self._spent is not None else None
        if spent is None or not spent.requests:
            return []
        tokens = f"{spent.input_tokens + spent.output_tokens:,} tokens"
        return [tokens, money(spent.cost_usd)] if spent.cost_usd else [tokens]

    def _pace(self) -> list[str]:
        seconds = time.monotonic() - self._began
        if not self.written or seconds < 1:
            return []
        left = seconds / self.written * (self.pending - self.written)
        rate = f"{60 * self.written / seconds:.1f} documents/min"
        # Processes take their time to start: a few documents tell nothing of the rest.
        is_known = self.written >= _ENOUGH_FOR_PACE or seconds >= _PLAIN_LINE_SECONDS
        return [rate, f"{duration(left)} left"] if left and is_known else [rate]


def _failed(brief: RecordBrief) -> str:
    """Why a document failed; a model's fault does not name the file by itself."""
    error = brief.error or ""
    return f"failed: {error}" if Path(brief.file).name in error else f"failed: {brief.file}: {error}"


def money(usd: float) -> str:
    """`0.0042 USD`, `3.18 USD`."""
    return f"{usd:.4f} USD" if usd < 1 else f"{usd:,.2f} USD"


def duration(seconds: float) -> str:
    """`45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class LiveProgress:
    """A bar that stays in place; messages scroll above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tally = Tally()
        self._task: TaskID | None = None
        self._bar = Progress(
            TextColumn("{task.completed}/{task.total} documents"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[line]}", markup=False),
            console=console,
            transient=True,
        )

    def begin(self, pending: int, done: int) -> None:
        """Show the bar; it counts the documents that are done already."""
        self._tally.begin(pending, done)
        if done:
            self.say(f"{done} documents are done already, {pending} to do.")

    def ready(self, spent: Callable[[], LedgerTotals | None]) -> None:
        """The clock begins here."""
        self._tally.restart(spent)

    def add(self, brief: RecordBrief) -> None:
        """Move the bar."""
        if self._task is None:
            total = self._tally.pending + self._tally.done_before
            self._task = self._bar.add_task("", total=total, completed=self._tally.done_before, line="")
            self._bar.start()
        self._tally.add(brief)
        if brief.status == "failed":
            self.say(_failed(brief))
        self._bar.update(self._task, advance=1, line=self._tally.line())

    def say(self, message: str) -> None:
        """A line above the bar."""
        with suppress(OSError):  # the terminal may be gone: the run goes on
            say(self._console, message)

    def end(self) -> None:
        """Take the bar away."""
        self._bar.stop()


class PlainProgress:
    """A line now and then, for logs; failures at once."""

    def __init__(self, console: Console, line_seconds: float = _PLAIN_LINE_SECONDS) -> None:
        self._console = console
        self._line_seconds = line_seconds
        self._tally = Tally()
        self._last = time.monotonic()
        self._shown = 0

    def begin(self, pending: int, done: int) -> None:
        """Say what there is to do."""
        self._tally.begin(pending, done)
        already = f", {done} are done already" if done else ""
        self.say(f"{pending} documents to do{already}.")

    def ready(self, spent: Callable[[], LedgerTotals | None]) -> None:
        """The clock begins here."""
        self._tally.restart(spent)
        self._last = time.monotonic()

    def add(self, brief: RecordBrief) -> None:
        """Count; print when the last line is old."""
        self._tally.add(brief)
        if brief.status == "failed":
            self.say(_failed(brief))
        if time.monotonic() - self._last >= self._line_seconds:
            self._print_line()

    def _print_line(self) -> None:
        self._last, self._shown = time.monotonic(), self._tally.written
        done = self._tally.done_before + self._tally.written
        total = self._tally.done_before + self._tally.pending
        self.say(f"{done}/{total} documents: {self._tally.line()}")

    def say(self, message: str) -> None:
        """A line."""
        with suppress(OSError):  # nobody reads it any more: the run goes on
            say(self._console, message)

    def end(self) -> None:
        """The last line."""
        if self._tally.written > self._shown:
            self._print_line()


def run_progress(console: Console) -> LiveProgress | PlainProgress:
    """What fits the console."""
    return LiveProgress(console) if console.is_terminal else PlainProgress(console)


@contextmanager
def byte_progress(console: Console) -> Iterator[ByteProgress]:
    """Shows how far a download or a check of weights is; silent if there is nothing to do."""
    if not console.is_terminal:
        yield _PlainBytes(console)
        return
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        console=console, transient=True,
    ) as bar:  # fmt: skip
        tasks: dict[str, TaskID] = {}

        def show(done: int, total: int, what: str) -> None:
            task = tasks.setdefault("", bar.add_task("")) if not tasks else tasks[""]
            bar.update(task, completed=done, total=total or None, description=printable(what))

        yield show


class _PlainBytes:
    """A line at the beginning, at each tenth, and when something else begins."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, int] | None = None

    def __call__(self, done: int, total: int, what: str) -> None:
        tenth = 10 * done // total if total else 0
        if self._last != (_kind(what), tenth):
            self._last = (_kind(what), tenth)
            say(self._console, f"{what}: {10 * tenth} %" if total else what)


def _kind(what: str) -> str:
    """`downloading x, part 3 of 22` and `…, part 4 of 22` are one thing."""
    return what.split(",", 1)[0]
