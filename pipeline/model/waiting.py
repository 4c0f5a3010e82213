"""How long to wait before a request is repeated, and whether repeating can help at all."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from tenacity import wait_exponential_jitter

# Half a second, doubled at each attempt, at most half a minute, and a little by chance.
backoff_seconds = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)


def retry_after_seconds(printed: str) -> float:
    """Seconds of a Retry-After header (RFC 9110: a number or a date), 0 if it says neither.

    >>> retry_after_seconds("7"), retry_after_seconds("soon")
    (7.0, 0.0)
    """
    printed = printed.strip()
    if printed.isdigit():
        return float(printed)
    try:
        return max(0.0, parsedate_to_datetime(printed).timestamp() - time.time())
    except ValueError:
        return 0.0


def is_refused(error: BaseException | None) -> bool:
    """Whether nothing listened at the address; looked for along the chain of causes."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError) or "Connection refused" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
