"""What the classifier sees of a figure: the words around it and the rule's answer."""

from __future__ import annotations

import re

from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CLAUSE = re.compile(r"[，；：（。]")
_DIGIT = re.compile(r"[0-9]")
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
    behind = _CLAUSE.split(after, maxsplit=1)[0][:_AFTER_REACH]
    heading = "".join(mention.sentence.headings[-1:])
    paragraph = mention.sentence.before[-_PARAGRAPH_REACH:] + before
    plain = [
        *_grams("o", own, 2, 3, 4),
        *(f"e{own[-size:]}" for size in (1, 2, 3)),
        *_grams("a", behind, 2, 3),
        *(f"f{after[:size]}" for size in (1, 2)),
        *(f"t{topic}" for topic in _TOPICS if topic in paragraph),
        f"u{mention.unit}",
        f"P{previous}",
    ]
    farther = [*_grams("p", earlier[-_EARLIER_REACH:], 2, 3, 4), *_grams("h", heading, 2)]
    said = [f"r{label.path}|{label.strength}", f"R{label.path}"]
    return dict.fromkeys(plain, 1.0) | dict.fromkeys(farther, 0.5) | dict.fromkeys(said, 2.0)


def _around(mention: Mention) -> tuple[str, str]:
    """The sentence before and behind a figure: no white space, full-width marks, every digit 0."""
    offset = mention.sentence.span.start
    text = mention.sentence.marked
    pieces = text[: mention.span.start - offset], text[mention.span.end - offset :]
    before, after = (_DIGIT.sub("0", "".join(piece.split())) for piece in pieces)
    return before, after


def _grams(kind: str, text: str, *sizes: int) -> list[str]:
    """The pieces of so many characters, each behind the letter of its kind."""
    return [kind + text[start : start + size] for size in sizes for start in range(len(text) - size + 1)]
