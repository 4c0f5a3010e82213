"""The words before a figure, cut into clauses, and the topic that they are about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.prose import cues
from pipeline.prose.cues import Topic
from pipeline.prose.mentions import Mention


@dataclass(frozen=True, slots=True)
class Clause:
    """Words between two marks before a figure; `distance` 0 is the figure's own clause."""

    text: str
    distance: int


MARKS = re.compile(r"[，；：（。]|——")


def clauses_before(before: str, figures: Sequence[tuple[int, int]]) -> list[Clause]:
    """The clauses before a figure, nearest first; a figure ends a clause too."""
    # A colon right before the figure ties it to its label: `政府网站：312 条`.
    cuts = {
        match.end()
        for match in MARKS.finditer(before)
        if match.group() != "：" or before[match.end() :].strip()
    }
    cuts |= {end for _, end in figures if end <= len(before)}
    edges = sorted({0, *cuts, len(before)})
    pieces = [before[left:right] for left, right in pairwise(edges)]
    if not pieces or (cuts and max(cuts) == len(before)):
        pieces.append("")
    pieces[-1] = pieces[-1].rstrip("： ")
    return [Clause(piece, distance) for distance, piece in enumerate(reversed(pieces))]


_TOPIC_WORDS: tuple[tuple[Topic, re.Pattern[str]], ...] = (
    ("review", re.compile(r"复议")),
    ("litigation", re.compile(r"诉讼|应诉|起诉")),
    ("requests", re.compile(r"内部事务信息|过程性信息|行政执法案卷|行政查询事项|没有现成信息|信访举报投诉类|依申请|新收申请|收到申请|受理申请|予以公开|同意公开|部分公开|不予公开|不同意公开|信息不存在|内容不明确|申请人[为中是]|按申请人|(?:网上|当面|信函)申请|(?:公开|信息)[^，。；]{0,4}申请(?!.{0,4}(?:复议|诉讼))|(?:受理|收到|接到|办理|办结)(?![^，。；]{0,12}(?:复议|诉讼|许可))[^，。；]{0,16}申请(?!.{0,4}(?:复议|诉讼))")),
    ("proactive", re.compile(r"(?<!已)(?<!属于)主动公开(?!范围)|(?<!不予)(?<!予以)(?<!同意)(?:公开|发布|公布)了?(?:[^，。；、0-9]{0,6})信息(?!不|公开申请)")),
    ("fees", re.compile(r"收费|费用|减免")),
)  # fmt: skip


# A word may be none for what follows within so many characters, also behind a full stop.
_LOOK_AHEAD = 8


def last_topic(text: str) -> Topic | None:
    """The topic whose word ends last.

    No such word reaches over a full stop: the search goes from the last sentence to the first
    and ends where it finds one, so that a long paragraph is not searched again for every figure.
    """
    end = len(text)
    while end > 0:
        start = text.rfind("。", 0, end) + 1
        found = [
            (match.end(), topic)
            for topic, pattern in _TOPIC_WORDS
            for match in pattern.finditer(text, start, end + _LOOK_AHEAD)
            if match.start() < end
        ]
        if found:
            return max(found, key=lambda each: each[0])[1]
        end = start - 1
    return None


def topic_of(mention: Mention, before: str) -> Topic | None:
    """The topic last opened in the sentence before the figure, else that of the headings."""
    opened = last_topic(before)
    if opened is not None:
        return opened
    for heading in reversed(mention.sentence.headings):
        if cues.REQUESTS_HEADING.search(heading) and not cues.REMEDIES_HEADING.search(heading):
            return "requests"
        if cues.REMEDIES_HEADING.search(heading):
            return "litigation" if "复议" not in heading else "review"
        if re.search(r"主动公开|公开(?:内容|渠道|形式|数量|概况)", heading):
            return "proactive"
    return None
