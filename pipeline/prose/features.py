"""What the classifier sees of a figure: the words around it and the rule's answer."""

from __future__ import annotations

import re

from pipeline.prose.clauses import FULL_MARKS
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CLAUSE = re.compile(r"[，；：（。]")
_TOPICS = ("申请", "复议", "诉讼", "主动公开", "收费", "培训", "其中", "网站", "规范性文件", "解读")
_PARAGRAPH_REACH, _AFTER_REACH, _EARLIER_REACH = 200, 14, 14


def features_of(label: RuleLabel, previous: str | None) -> dict[str, float]:
    """Named features of a figure with their weights; `previous` is the field of the figure before it.

    Character n-grams of its own clause, the clause before, the words behind and the
    heading; its measure word; the rule's field and how plainly wording said it.
    """
    mention = label.mention
    before, after = _around(mention)
    clauses = _CLAUSE.split(before)
    own, earlier = clauses[-1], clauses[-2] if len(clauses) > 1 else ""
    found: dict[str, float] = {}
    for size in (2, 3, 4):
        found |= {f"o{gram}": 1.0 for gram in _grams(own, size)}
        found |= {f"p{gram}": 0.5 for gram in _grams(earlier[-_EARLIER_REACH:], size)}
    found |= {f"e{own[-size:]}": 1.0 for size in (1, 2, 3)}
    behind = _CLAUSE.split(after)[0][:_AFTER_REACH]
    found |= {f"a{gram}": 1.0 for size in (2, 3) for gram in _grams(behind, size)}
    found |= {f"f{after[:size]}": 1.0 for size in (1, 2)}
    heading = "".join(mention.sentence.headings[-1:])
    found |= {f"h{gram}": 0.5 for gram in _grams(heading, 2)}
    paragraph = mention.sentence.before[-_PARAGRAPH_REACH:] + before
    found |= {f"t{topic}": 1.0 for topic in _TOPICS if topic in paragraph}
    found[f"u{mention.unit}"] = 1.0
    found[f"r{label.path}|{label.strength}"] = 2.0
    found[f"R{label.path}"] = 2.0
    found[f"P{previous}"] = 1.0
    return found


def _around(mention: Mention) -> tuple[str, str]:
    """The sentence before and behind a figure: no white space, full-width marks, every digit 0."""
    offset = mention.sentence.span.start
    text = mention.sentence.text.translate(FULL_MARKS)
    pieces = text[: mention.span.start - offset], text[mention.span.end - offset :]
    before, after = (re.sub(r"[0-9]", "0", re.sub(r"\s", "", piece)) for piece in pieces)
    return before, after


def _grams(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(len(text) - size + 1)}
