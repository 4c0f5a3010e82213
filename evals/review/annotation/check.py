"""What stands in the way of finishing a draft, each problem with the place to go to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from evals.gold_check import GoldProblem, check_one
from evals.occurrences import SearchText
from evals.review.annotation.draft import GoldDraft
from evals.review.annotation.form import broken_sums, label_of
from evals.review.annotation.state import LISTS, DraftState
from pipeline.errors import GoldError
from pipeline.schema import fields

_LISTED = r"(narrative|text\.problems|text\.improvements)\.(\d+)"


def problems_of(draft: GoldDraft, text: SearchText) -> list[GoldProblem]:
    """What is not annotated yet; once that is done, what the check of gold says, prints included."""
    name = draft.path.name
    missing = [GoldProblem(name, key, "~") for key in draft.state.missing]
    if missing:
        return missing
    try:
        return check_one(name, draft.gold(), text)
    except GoldError as error:
        return [GoldProblem(name, "form", str(error).removeprefix(f"{draft.path}: "))]


@dataclass(frozen=True, slots=True)
class LinkedProblem:
    """A problem with the key of the place to go to, "" where it has none; `count` places of its kind."""

    key: str
    label: str
    message: str
    severity: str
    count: int = 1


def linked(state: DraftState, problems: list[GoldProblem], spoken: Mapping[str, str]) -> list[LinkedProblem]:
    """The problems for a page; empty cells of one table are one problem, which leads to the first of them."""
    found = [_link(state, problem, spoken) for problem in problems]
    rows: dict[tuple[str, str], list[LinkedProblem]] = {}
    for each in found:
        group = (
            each.key.partition(".")[0]
            if each.message == spoken["annotate.missing"] and "/" not in each.key
            else each.key
        )
        rows.setdefault((group, each.message), []).append(each)
    return [
        LinkedProblem(
            row[0].key, row[0].label, row[0].message, row[0].severity, len({each.key for each in row})
        )
        for row in rows.values()
    ]


def _link(state: DraftState, problem: GoldProblem, spoken: Mapping[str, str]) -> LinkedProblem:
    message = spoken["annotate.missing"] if problem.message == "~" else problem.message
    key = _key_of(state, problem.key, problem.message)
    return LinkedProblem(key, _called(state, key, spoken) or problem.key, message, problem.severity)


def _called(state: DraftState, key: str, spoken: Mapping[str, str]) -> str:
    """What a place is called: lines and items by their part of the form and their number in it."""
    name, _, item = key.partition("/")
    if name not in LISTS or not item:
        return label_of(key)
    part = "prose" if name == "narrative" else name.removeprefix("text.")
    return f"{spoken[f'annotate.part_{part}']} {list(state.lists[name]).index(item) + 1}"


def _key_of(state: DraftState, key: str, message: str) -> str:
    """The key of a draft for that of a check: `narrative.3 (requests…)` counts lines, `meta` has names."""
    found = re.match(_LISTED, message if key == "form" else key)
    if found is not None:
        ids = list(state.lists[found[1]])
        return f"{found[1]}/{ids[int(found[2])]}" if int(found[2]) < len(ids) else ""
    if key == "findings":
        place = re.match(r"([a-z0-9_.]+)@(\w+)", message)
        broken = {each.finding: each.key for each in broken_sums(state)}
        return broken.get(place[0], "findings") if place else "findings"
    if (
        key.partition("/")[0] in LISTS
        or key in fields()
        or key.startswith(("meta.", "templates.", "statistics."))
    ):
        return key
    return {
        "requests": "templates.requests",
        "remedies": "templates.remedies",
        "proactive": "templates.proactive",
    }.get(key, "")
