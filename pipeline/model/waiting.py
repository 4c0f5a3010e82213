"""How long is waited: for a response, and before a request is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from tenacity import RetryCallState, wait_exponential_jitter

from pipeline.model.failure import RequestFailed

T = TypeVar("T")

# Longer than this nobody is made to wait: the run stops and says so.
MAX_RETRY_AFTER_SECONDS = 120.0
# So long an endpoint may give no usable response to anybody.
PATIENCE_SECONDS = 120.0
# Half a second, doubled at each attempt, at most half a minute, and a little by chance.
_backoff_seconds = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)


def wait_seconds(state: RetryCallState) -> float:
    """Before the next attempt: what the endpoint asks for, and longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, RequestFailed) else 0.0
    return max(asked, _backoff_seconds(state))


async def whole_within(seconds: float, response: Awaitable[T]) -> T:
    """A whole response in time: one that trickles in would never end. Raises RequestFailed."""
    try:
        async with asyncio.timeout(seconds):
            return await response
    except TimeoutError as error:
        raise RequestFailed("timeout", f"no whole response within {seconds:g} seconds") from error


def is_refused(error: BaseException | None) -> bool:
    """Whether nothing listened at the address; looked for along the chain of causes."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError) or "Connection refused" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
