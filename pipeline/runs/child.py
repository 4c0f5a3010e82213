"""A child process that can be stopped, with all that it started: a file cannot hang or crash a run.

The parent asks one thing at a time and waits in its event loop. What the child takes too long
or too much memory for ends with it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pipeline.errors import StartError
from pipeline.read.libreoffice import end_conversions

# Loading the readers on a busy machine; no file is looked at in this time.
_START_SECONDS = 120
_GENTLE_SECONDS = 0.2
_END_SECONDS = 5

# Answers a request; made in the child by what `Child` is given.
Serve = Callable[[Any], object]


class ChildDied(Exception):
    """The child ended before it answered; `how` says by what."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class ChildTookTooLong(Exception):
    """The child did not answer in time, and was ended."""


class Child:
    """One child process and the connection to it. `make_serve` and its arguments must be picklable."""

    def __init__(self, make_serve: Callable[..., Serve], *arguments: object, memory_bytes: int) -> None:
        # What the process writes, and what converts for it, is ended and removed with it.
        self._folder = tempfile.TemporaryDirectory(prefix="gongkai-", ignore_cleanup_errors=True)
        # A fresh interpreter: a fork would copy the locks of the threads that run here.
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_live,
            args=(there, self._folder.name, memory_bytes, make_serve, arguments),
            name="gongkai-worker",
            daemon=True,
        )
        self.is_alive = True
        with _without_interrupts():
            self._process.start()
        there.close()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.is_alive and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """Its process number."""
        return self._process.pid

    async def started(self) -> None:
        """Wait until it can be asked. Raises StartError when it cannot."""
        try:
            if await self._answer(_START_SECONDS) == "ready":
                return
        except (ChildDied, ChildTookTooLong):
            pass
        self.end()
        raise StartError(f"a worker process did not start (exit code {self._process.exitcode})")

    async def ask(self, request: object, seconds: float) -> Any:
        """What the child answers; after ChildDied and ChildTookTooLong it is gone.

        A request that is called off leaves the child without anybody to answer: it is ended too.
        """
        try:
            self._here.send(request)
            return await self._answer(seconds)
        except (ChildDied, ChildTookTooLong):
            self.end()
            raise
        except OSError as error:
            self.end()
            raise ChildDied(self._how()) from error
        except BaseException:
            self.end()
            raise

    async def _answer(self, seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        descriptor = self._here.fileno()

        def arrived() -> None:
            loop.remove_reader(descriptor)
            if not future.done():
                future.set_result(None)

        loop.add_reader(descriptor, arrived)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            raise ChildTookTooLong from None
        finally:
            loop.remove_reader(descriptor)
        try:
            return self._here.recv()
        except (EOFError, OSError) as error:
            self._process.join(_END_SECONDS)
            raise ChildDied(self._how()) from error

    def _how(self) -> str:
        code = self._process.exitcode
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"

    def end(self) -> None:
        """Stop the process, gently if it is waiting, else at once."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._here.close()  # one that waits for the next request ends by itself
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


def _live(
    connection: Connection,
    folder: str,
    memory_bytes: int,
    make_serve: Callable[..., Serve],
    arguments: tuple[object, ...],
) -> None:
    """The child's life: answer what is asked until nobody asks any more."""
    # Ctrl-C goes to the whole group: the parent decides when work ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = folder
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, so that what it starts can be ended with it
    limit_memory(memory_bytes)
    threading.Thread(target=_end_with_parent, args=(Path(folder),), daemon=True).start()
    serve = make_serve(*arguments)
    with suppress(EOFError, OSError):  # nobody asks any more
        connection.send("ready")
        while True:
            connection.send(serve(connection.recv()))
    # The parent does the same, unless it was killed.
    end_conversions(Path(folder))
    shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent(folder: Path) -> None:
    """End at once when the parent is gone: nobody is left to stop a file that hangs, or to tidy up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        end_conversions(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def limit_memory(memory_bytes: int) -> None:
    """Refuse allocations above the limit, where the system knows how."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
