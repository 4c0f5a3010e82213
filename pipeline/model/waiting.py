"""How long to wait before a request is repeated, and whether nothing listens at an address."""

from __future__ import annotations

from tenacity import wait_exponential_jitter

# Half a second, doubled at each attempt, at most half a minute, and a little by chance.
backoff_seconds = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)


def is_refused(error: BaseException | None) -> bool:
    """Whether nothing listened at the address; looked for along the chain of causes."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError) or "Connection refused" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
