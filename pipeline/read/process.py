"""Reading in processes of their own, which can be stopped: a file cannot hang or crash a run.

A process reads one file after the other. One that takes too long or too much memory, or
that a file brings down, ends; its file fails with a reason, and the next file has a new
process.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.document import Document
from pipeline.errors import BrokenFile, GongkaiError, StartError, TookTooLong, TooLarge
from pipeline.read import read_document_with_parts
from pipeline.read.libreoffice import end_conversions
from pipeline.read.limits import DEFAULT_LIMITS, Limits

# Loading the readers on a busy machine; no file is looked at in this time.
_START_SECONDS = 120
_GENTLE_SECONDS = 0.2
_END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Request:
    path: Path
    parts: tuple[Path, ...]


class ReaderFault(Exception):
    """A fault of the program in a reading process; its traceback there is a note of this error."""


class ReadingProcesses:
    """Reads documents in child processes, as many at a time as there are threads that ask.

    `read` may be called from several threads. A context manager: leaving it ends the processes.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.end()

    def read(self, path: Path, parts: Sequence[Path] = ()) -> Document:
        """Read one file, and the files that belong to it.

        Raises a DocumentError as `read_document` does, and besides TookTooLong, TooLarge for
        memory, BrokenFile where the process was brought down, ReaderFault for a fault of the program.
        """
        reader = self._idle_one() or _Reader(self._limits)
        document = None
        try:
            document = reader.read(_Request(path, tuple(parts)))
        finally:
            self._give_back(reader)
        return document

    def _idle_one(self) -> _Reader | None:
        """A process that waits; one that was ended from outside meanwhile is no file's fault."""
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.is_running:
                    return reader
                reader.end()
        return None

    def _give_back(self, reader: _Reader) -> None:
        with self._lock:
            if reader.is_alive and not self._is_closed:
                self._idle.append(reader)
                return
        reader.end()


class _Reader:
    """One child process and the connection to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # What the process writes, and what converts for it, is ended and removed with it.
        self._folder = tempfile.TemporaryDirectory(prefix="gongkai-", ignore_cleanup_errors=True)
        # A fresh interpreter: a fork would copy the locks of the threads that run here.
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_serve, args=(there, limits, self._folder.name), name="gongkai-reader", daemon=True
        )
        with _without_interrupts():
            self._process.start()
        there.close()
        self.is_alive = True
        self._await_start()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.is_alive()

    def _await_start(self) -> None:
        try:
            if self._here.poll(_START_SECONDS):
                self._here.recv()
                return
        except EOFError:
            pass
        self.end()
        raise StartError(f"the reading process did not start (exit code {self._process.exitcode})")

    def read(self, request: _Request) -> Document:
        """The document, or what reading it raised; after a hang or crash the process is gone."""
        try:
            self._here.send(request)
            is_done = self._here.poll(self._limits.seconds)
            answer: Document | BaseException | None = self._here.recv() if is_done else None
        except (EOFError, OSError) as error:
            self.end()
            raise self._brought_down(request.path) from error
        except BaseException:
            self.end()  # interrupted between question and answer: it would answer the next question
            raise
        if answer is None:
            self.end()
            raise TookTooLong(
                f"{request.path.name}: reading took more than {self._limits.seconds:g} seconds and was "
                "stopped. Cut the report out of the file, or save it in another format."
            )
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _brought_down(self, path: Path) -> BrokenFile:
        code = self._process.exitcode
        how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return BrokenFile(
            f"{path.name}: the file brought its reading process down ({how}). "
            "Open it in its program and save it again, or get it again from its source."
        )

    def end(self) -> None:
        """Stop the process, gently if it is waiting, else at once."""
        self.is_alive = False
        self._here.close()  # one that waits for the next file ends by itself
        self._process.join(_GENTLE_SECONDS)
        if self._process.is_alive():
            _kill(self._process)
        self._process.join(_END_SECONDS)
        end_conversions(Path(self._folder.name))
        self._folder.cleanup()


def _kill(process: BaseProcess) -> None:
    """Kill the process, and the programs that it started for a file."""
    if process.pid is not None and hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits: a process that is being started would die of it before it can say no."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # begins with the first process, and would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, limits: Limits, folder: str) -> None:
    """The child's life: read what is asked for until nobody asks any more."""
    # Ctrl-C goes to the whole group: the parent decides when reading ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = folder
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, so that what it starts can be ended with it
    limit_memory(limits.memory_bytes)
    threading.Thread(target=_end_with_parent, args=(Path(folder),), daemon=True).start()
    connection.send("ready")
    with suppress(EOFError, OSError):  # nobody asks any more
        while True:
            connection.send(_answer(connection.recv(), limits))


def _end_with_parent(folder: Path) -> None:
    """End at once when the parent is gone: nobody is left to stop a file that hangs, or to tidy up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        end_conversions(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def _answer(request: _Request, limits: Limits) -> Document | BaseException:
    try:
        return read_document_with_parts(request.path, request.parts, limits)
    except GongkaiError as error:
        return error
    except MemoryError:
        return TooLarge(
            f"{request.path.name}: reading needs more than {limits.memory_bytes // 2**20:,} MiB of memory, "
            "which is the limit. Cut the report out of the file, or save it in another format."
        )
    except Exception as error:  # noqa: BLE001 - handed to the parent whole, which keeps it
        fault = ReaderFault(f"{type(error).__name__}: {error}")
        fault.add_note("".join(traceback.format_exception(error)))
        return fault


def limit_memory(memory_bytes: int) -> None:
    """Refuse allocations above the limit, where the system knows how."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
