"""Which cue of a clause names a figure, and which fields a sentence could mean at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from pipeline.prose import cues
from pipeline.prose.cues import Cue, Topic
from pipeline.prose.fields import prose_fields
from pipeline.prose.marks import with_full_marks
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CHANNEL = "proactive.channel."


def label_by_noun_behind(mention: Mention, after: str, topic: Topic | None) -> RuleLabel | None:
    """The field that the words right behind a figure name: `4 场新闻发布会`."""
    behind = after.lstrip()
    for cue in _cues_behind(topic, mention.unit):
        if cue.pattern.match(behind):
            return RuleLabel(mention, cue.path, "strong")
    return None


def fits(path: str | None, mention: Mention) -> bool:
    """Whether the field counts in the figure's measure word."""
    return _counts_in(path, mention.unit)


def _counts_in(path: str | None, unit: str | None) -> bool:
    return path is None or unit in prose_fields()[path].units


# Topics and measure words are few: what they leave of the cues is worked out once for each pair.
@cache
def _cues_behind(topic: Topic | None, unit: str | None) -> tuple[Cue, ...]:
    """The cues that may name a figure with this measure word under this topic by the words behind it."""
    return tuple(_possible(cues.AFTER, topic, unit))


@cache
def _cues_before(topic: Topic | None, unit: str | None) -> tuple[tuple[Cue, ...], ...]:
    """The same for the words before it, cues of equal rank together, the most specific first."""
    by_rank: dict[int, list[Cue]] = {}
    for cue in _possible(cues.BEFORE, topic, unit):
        by_rank.setdefault(_rank(cue.path), []).append(cue)
    return tuple(tuple(by_rank[rank]) for rank in sorted(by_rank, reverse=True))


def _possible(table: Iterable[Cue], topic: Topic | None, unit: str | None) -> Iterator[Cue]:
    return (cue for cue in table if cue.topic in (None, topic) and _counts_in(cue.path, unit))


# How specific a field is: within one clause the more specific cue names the figure.
_RANKS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (8, re.compile(r"^remedies\.\w+\.(?!total)|^remedies\.litigation_")),
    (
        8,
        re.compile(
            r"^requests\.(?:by_channel|new_received\.(?!total)|partially|denied|unavail|unproc|other)"
        ),
    ),
    (
        7,
        re.compile(
            r"^(?:capacity|engagement|fees)\.|^proactive\.(?:normative|regulations)|^requests\.carried"
        ),
    ),
    (6, re.compile(r"^(?:remedies|complaints)\.")),
    (5, re.compile(r"^requests\.granted")),
    (4, re.compile(r"^requests\.(?:concluded|answered)")),
    (3, re.compile(r"^requests\.new_received\.total")),
    (2, re.compile(r"^proactive\.(?:channel\.several|cumulative)")),
    (1, re.compile(r"^proactive\.channel")),
    (0, re.compile(r"")),
)
_RANK_OF_NO_FIELD = 6


def possible_paths(mention: Mention) -> tuple[str, ...]:
    """Fields that some word of the sentence or its heading names and the measure word allows.

    A category is possible wherever items are published.
    """
    sentence = mention.sentence
    heading = sentence.headings[-1] if sentence.headings else ""
    text = f"{with_full_marks(heading)}。{sentence.marked}"
    before = sentence.marked[: mention.span.start - sentence.span.start]
    named = {
        cue.path
        for cue in (*cues.BEFORE, *cues.AFTER)
        if cue.path and (_is_named(cue, text) or cue.pattern.search(before))
    }
    if named & {"proactive.total", "proactive.cumulative_total"} or any(
        path.startswith(_CHANNEL) for path in named
    ):
        named.add("proactive.category")
    return tuple(path for path in prose_fields() if path in named and fits(path, mention))


def _is_named(cue: Cue, text: str) -> bool:
    return re.search(cue.pattern.pattern.removeprefix("^"), text) is not None


def _rank(path: str | None) -> int:
    if path is None:
        return _RANK_OF_NO_FIELD
    return next(rank for rank, pattern in _RANKS if pattern.search(path))


def best_cue(mention: Mention, clause: str, topic: Topic | None) -> tuple[Cue, int] | None:
    """The cue of a clause that names the figure, and where it ends: the most specific, then the nearest."""
    for rivals in _cues_before(topic, mention.unit):
        found = [
            (match.end(), -order)
            for order, cue in enumerate(rivals)
            if cue.pattern.search(clause)  # says no at half the cost of an iterator, as nearly all do
            for match in cue.pattern.finditer(clause)
        ]
        if found:
            end, order = max(found)
            return rivals[-order], end
    return None
