"""Why a request failed: what a status means, how long an endpoint asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.model.failure import (
    TRANSIENT,
    FailureKind,
    RequestFailed,
    asked_wait_seconds,
    kind_of_status,
)

STATUSES: list[tuple[int, str | None, FailureKind, bool]] = [
    (400, None, "rejected", False),
    (401, "invalid_api_key", "key", False),
    (402, None, "quota", False),
    (403, None, "key", False),
    (404, "model_not_found", "unknown", False),
    (408, None, "server", True),
    (409, None, "server", True),
    (413, None, "rejected", False),
    (422, None, "rejected", False),
    (425, None, "server", True),
    (429, "rate_limit_exceeded", "throttled", True),
    (429, None, "throttled", True),
    (429, "insufficient_quota", "quota", False),
    (500, None, "server", True),
    (502, None, "server", True),
    (503, None, "throttled", True),
    (504, None, "server", True),
    (524, None, "server", True),
    (529, None, "throttled", True),
]


@pytest.mark.parametrize(("status", "code", "kind", "is_transient"), STATUSES)
def test_status(status: int, code: str | None, kind: FailureKind, is_transient: bool) -> None:
    assert kind_of_status(status, code) == kind
    assert RequestFailed(kind, "").is_transient == is_transient
    assert (kind in TRANSIENT) == is_transient


def date(seconds: float, server_hours_off: float = 0.0) -> str:
    then = datetime.now(UTC) + timedelta(seconds=seconds, hours=server_hours_off)
    return format_datetime(then.replace(microsecond=0), usegmt=True)


WAITS: list[tuple[str, dict[str, str], float]] = [
    ("nothing said", {}, 0),
    ("seconds", {"retry-after": "7"}, 7),
    ("a fraction", {"retry-after": "1.5"}, 1.5),
    ("blanks", {"retry-after": " 7 "}, 7),
    ("milliseconds", {"retry-after-ms": "250"}, 0.25),
    ("milliseconds before seconds", {"retry-after-ms": "250", "retry-after": "7"}, 0.25),
    ("milliseconds that are none", {"retry-after-ms": "soon", "retry-after": "7"}, 7),
    ("a date, clocks agree", {"retry-after": date(60), "date": date(0)}, 60),
    ("a date, its clock an hour ahead", {"retry-after": date(60, 1), "date": date(0, 1)}, 60),
    ("a date, its clock an hour behind", {"retry-after": date(60, -1), "date": date(0, -1)}, 60),
    ("a date gone by", {"retry-after": date(-60), "date": date(0)}, 0),
    (
        "a date without zone",
        {"retry-after": "Sun, 06 Nov 1994 08:50:37", "date": "Sun, 06 Nov 1994 08:49:37"},
        60,
    ),
    ("negative", {"retry-after": "-5"}, 0),
    ("not a number", {"retry-after": "nan"}, 0),
    ("without end", {"retry-after": "inf"}, 0),
    ("words", {"retry-after": "in a while"}, 0),
]


@pytest.mark.parametrize(("name", "headers", "seconds"), WAITS, ids=[case[0] for case in WAITS])
def test_wait(name: str, headers: dict[str, str], seconds: float) -> None:
    assert asked_wait_seconds(headers) == pytest.approx(seconds, abs=1.01 if "date" in name else 1e-9)


def test_a_date_without_the_servers_own_is_taken_against_ours() -> None:
    assert asked_wait_seconds({"retry-after": date(60)}) == pytest.approx(60, abs=2)
    assert asked_wait_seconds({"retry-after": date(60), "date": "yesterday"}) == pytest.approx(60, abs=2)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
@example("Sun, 06 Nov 99994 08:49:37 GMT", "")
@example("Sun, 99 Nov 1994 08:49:37 GMT", "")
@example("Sun, 06 Nov 1994 08:49:37 +9999999999", "")
@example("1e999", "")
@example(" ", " ")
def test_no_header_breaks_it(retry_after: str, own_date: str) -> None:
    headers = {"retry-after": retry_after, "date": own_date, "retry-after-ms": own_date}
    assert asked_wait_seconds(headers) >= 0
