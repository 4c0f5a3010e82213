"""Which cue of a clause names a figure, and which fields a sentence could mean at all."""

from __future__ import annotations

import re

from pipeline.prose import cues
from pipeline.prose.clauses import FULL_MARKS
from pipeline.prose.cues import Cue, Topic
from pipeline.prose.fields import prose_fields
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CHANNEL = "proactive.channel."


def label_by_noun_behind(mention: Mention, after: str, topic: Topic | None) -> RuleLabel | None:
    """The field that the words right behind a figure name: `4 场新闻发布会`."""
    for cue in cues.AFTER:
        if cue.topic is not None and cue.topic != topic:
            continue
        if cue.pattern.search(after.lstrip()) and fits(cue.path, mention):
            return RuleLabel(mention, cue.path, "strong")
    return None


def fits(path: str | None, mention: Mention) -> bool:
    """Whether the field counts in the figure's measure word."""
    return path is None or mention.unit in prose_fields()[path].units


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
    text = f"{heading}。{sentence.text}".translate(FULL_MARKS)
    before = sentence.text[: mention.span.start - sentence.span.start].translate(FULL_MARKS)
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
    """The cue of a clause that names the figure: the most specific, then the nearest."""
    best: tuple[int, int, int] | None = None
    chosen: tuple[Cue, int] | None = None
    for order, cue in enumerate(cues.BEFORE):
        if cue.topic is not None and cue.topic != topic:
            continue
        if not fits(cue.path, mention):
            continue
        for match in cue.pattern.finditer(clause):
            key = (_rank(cue.path), match.end(), -order)
            if best is None or key > best:
                best, chosen = key, (cue, match.end())
    return chosen
