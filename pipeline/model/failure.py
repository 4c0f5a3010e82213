"""Why a request failed, and whether asking again can help."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

FailureKind = Literal[
    "throttled",
    "server",
    "timeout",
    "connection",
    "refused",
    "unusable",
    "key",
    "unknown",
    "quota",
    "rejected",
]
TRANSIENT: frozenset[FailureKind] = frozenset(
    {"throttled", "server", "timeout", "connection", "refused", "unusable"}
)
_THROTTLED = frozenset({429, 503, 529})
_TRANSIENT_STATUS = frozenset({408, 409, 425})


class RequestFailed(Exception):
    """One request without a usable response. Not for users: the client turns it into an error of the package.

    `refused` means that nothing listens there; `unusable` a response that is no completion;
    `unknown` that the endpoint does not know the model or path. `is_counted`: it stands in the
    ledger already, and asking again is over.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        status: int | None = None,
        wait_seconds: float = 0.0,
        *,
        is_counted: bool = False,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status
        self.wait_seconds = wait_seconds
        self.is_counted = is_counted

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in TRANSIENT and not self.is_counted


def kind_of_status(status: int, code: str | None) -> FailureKind:
    """What an HTTP status means; `code` is the API's own error code."""
    if code == "insufficient_quota" or status == 402:
        return "quota"
    if status in _THROTTLED:
        return "throttled"
    if status in _TRANSIENT_STATUS or status >= 500:
        return "server"
    if status in (401, 403):
        return "key"
    return "unknown" if status == 404 else "rejected"


def asked_wait_seconds(headers: Mapping[str, str]) -> float:
    """Seconds that an endpoint asks to wait (RFC 9110 Retry-After, or `retry-after-ms`), 0 if it does not.

    A date is taken against the endpoint's own `Date`: clocks differ.

    >>> asked_wait_seconds({"retry-after": "7"}), asked_wait_seconds({"retry-after-ms": "250"})
    (7.0, 0.25)
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    printed = headers.get("retry-after", "").strip()
    seconds = _number(printed)
    if seconds is not None:
        return seconds
    until, now = _date(printed), _date(headers.get("date", "")) or datetime.now(UTC)
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())


def _number(printed: str) -> float | None:
    try:
        number = float(printed)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _date(printed: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(printed)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
