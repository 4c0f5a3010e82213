"""Which figure can be part of which: by channel, subject, applicant, way of application, outcome."""

from __future__ import annotations

from pipeline.fact import Fact
from pipeline.schema import APPLICANTS, OUTCOMES, outcome_rows

NEW_MEDIA = frozenset({"weibo", "wechat", "other_new_media"})


def dimension(whole: Fact, part: Fact) -> str | None:
    """By what `part` divides `whole` (channel, category, applicant, outcome …); None if it does not."""
    above, below = whole.path.split("."), part.path.split(".")
    if above[0] != below[0] or whole is part or whole.path == part.path != "proactive.category":
        return None
    if above[0] == "proactive":
        return _proactive_dimension(above, below)
    if above[0] == "requests" and above[-1] == "total":
        return _requests_dimension(above[1], below)
    if above[0] == "remedies" and above[-1] == "total":
        return _remedies_dimension(above[1], below)
    return None


def _proactive_dimension(above: list[str], below: list[str]) -> str | None:
    if below[1] not in ("channel", "category"):
        return None
    if above[1] == "total":
        return below[1]
    if above[1] == "channel" and below[1] == "channel":
        is_sum = above[2] in ("several", "other_new_media")
        return "channel" if is_sum and below[2] in NEW_MEDIA else None
    return "category" if above[1] in ("channel", "category") and below[1] == "category" else None


def _requests_dimension(row: str, below: list[str]) -> str | None:
    if row == "new_received" and below[1] == "by_channel":
        return "by_channel"
    if below[1] == row and below[2] in APPLICANTS:
        return "applicant"
    is_outcome = below[2] == "total" and below[1] in {*outcome_rows("table2019"), *outcome_rows("table2021")}
    return "outcome" if is_outcome and row in ("new_received", "answered", "concluded") else None


def _remedies_dimension(block: str, below: list[str]) -> str | None:
    if below[1] == block and below[2] in OUTCOMES:
        return "outcome"
    return "route" if block == "litigation" and below[1].startswith("litigation_") else None
