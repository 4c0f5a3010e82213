"""Worker threads over documents, and a Ctrl-C that first lets them finish."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Generic, Self, TypeVar

from pipeline.errors import GongkaiError

J = TypeVar("J")
R = TypeVar("R")
_POLL_SECONDS = 0.5


class Interrupts:
    """While entered: the first SIGINT or SIGTERM sets `stop`, the second raises KeyboardInterrupt."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.stop = threading.Event()
        self.was_interrupted = False
        self._on_first = on_first
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere the caller's own stay.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # However it was left: no worker begins another document.
        self.stop.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.was_interrupted:
            raise KeyboardInterrupt
        self.was_interrupted = True
        self.stop.set()
        self._on_first()


class Pool(Generic[J, R]):
    """Runs `work` over jobs in daemon threads; results are taken up by the calling thread.

    No job is begun after `stop` is set; those in flight are finished. A GongkaiError out
    of `work` sets `stop` and is kept in `error`; any other exception is raised in the
    calling thread. Daemon threads, so that a second Ctrl-C need not wait for them.
    """

    def __init__(self, work: Callable[[J], R], concurrency: int, stop: threading.Event) -> None:
        self._work = work
        self._concurrency = concurrency
        self._stop = stop
        self._results: queue.Queue[R | BaseException | None] = queue.Queue(maxsize=2 * concurrency)
        self._next = threading.Lock()
        self.error: GongkaiError | None = None

    def over(self, jobs: Iterable[J]) -> Iterator[R]:
        """The results in the order in which they are done."""
        waiting = iter(jobs)
        threads = [
            threading.Thread(target=self._serve, args=(waiting,), name=f"document-{number}", daemon=True)
            for number in range(self._concurrency)
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            try:
                result = self._results.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if result is None:
                running -= 1
            elif isinstance(result, GongkaiError):
                self.error = self.error or result
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result

    def _serve(self, waiting: Iterator[J]) -> None:
        while not self._stop.is_set():
            with self._next:
                job = next(waiting, None)
            if job is None:
                break
            try:
                self._results.put(self._work(job))
            except BaseException as error:  # noqa: BLE001 - handed to the calling thread, which raises it
                self._stop.set()
                self._results.put(error)
        self._results.put(None)
