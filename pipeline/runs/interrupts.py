"""A Ctrl-C that first lets documents in flight finish."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self


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
