"""Coroutines run from code that is none, also where an event loop is running already."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

R = TypeVar("R")


def run_to_end(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine.

    In a notebook, or below a browser's driver, this thread has a loop that is running: then
    the coroutine has a thread of its own.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
