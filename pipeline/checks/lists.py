"""Lists of figures in one sentence: a whole and its parts, found from the places of facts.

Two shapes: a cue behind the whole (`共公开500条，其中网站300条，微信200条`) and a whole
behind its parts (`网站300条，微信200条，合计500条`). A list is closed when nothing says
that it leaves something out; only then must its parts make the whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.checks.dimensions import dimension
from pipeline.document import Span
from pipeline.fact import Fact
from pipeline.numerals import number_value

# A list may stand behind the full stop: 共公开500条。其中，网站300条，微信200条。
SENTENCE = re.compile(r"(?:[^。！？!?\n]|。(?=其中))+")
CUE = re.compile(r"其中|分别为|分别是|分别有|包括|具体为|具体是")
SUM_CUE = re.compile(r"合计|共计|总计|总共|累计共")
FIGURE = r"(?:[0-9０-９][0-9０-９,，]*|[〇零一二两三四五六七八九十百千]+)"
MEASURES = "条次|人次|条|件|份|篇|期|次|场|起|宗|例|项|个"
MEASURE = re.compile(rf"(?:{MEASURES})")
FIGURE_WITH_MEASURE = re.compile(rf"({FIGURE})[余多来几]*({MEASURES})")
OPEN_BEFORE = re.compile(r"主要|例如|譬如")
OPEN_AFTER = re.compile(r"其余|剩余|此外|另有")
STATED_OVERLAP = (
    re.compile(rf"({FIGURE})(?:{MEASURES})[^，。；;\n]{{0,20}}既[^。；;\n]*?又"),
    re.compile(rf"(?:重复|交叉|重叠)[^，。；;\d\n]{{0,8}}?({FIGURE})(?:{MEASURES})"),
    re.compile(rf"({FIGURE})(?:{MEASURES})[^，。；;\n]{{0,10}}(?:重复|交叉|重叠)"),
)
SIMULTANEOUS = (
    re.compile(rf"({FIGURE})(?:{MEASURES})[^，。；;\d\n]{{0,10}}同时(?:在|通过|于|发布|公开)"),
    re.compile(
        rf"同时(?:在|通过|于)[^，。；;\d\n]{{1,15}}[和与及、][^，。；;\d\n]{{1,20}}?({FIGURE})(?:{MEASURES})"
    ),
)
OPENING, CLOSING = "（(", "）)"
SEPARATORS = "，,、；;"
STOP = re.compile(r"[；;]")
CLAUSE_END = re.compile(r"[，,。；;]")


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the parts' items are stated to be counted twice, and where that stands."""

    count: int | float
    span: Span


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole, its parts of one dimension in order of print, and what is said about the list.

    `other_wholes` are figures farther in front that the list may divide as well;
    `shorter` are the parts before a semicolon, if the list may end there.
    """

    whole: Fact
    parts: tuple[Fact, ...]
    is_closed: bool
    overlap: Overlap | None = None
    other_wholes: tuple[Fact, ...] = ()
    shorter: tuple[Fact, ...] = ()


def find_listings(text: str, facts: Sequence[Fact]) -> Iterator[Listing]:
    """The lists in `text` whose whole and parts are `facts` of the prose, sorted by place."""
    starts = [fact.evidence.start for fact in facts]
    for match in SENTENCE.finditer(text):
        inside = facts[bisect_left(starts, match.start()) : bisect_left(starts, match.end())]
        if len(inside) > 1:
            sentence = _Sentence(text, Span(match.start(), match.end()), tuple(inside), tuple(facts))
            yield from sentence.cued()
            yield from sentence.summed()


@dataclass(frozen=True)
class _Sentence:
    text: str
    span: Span
    facts: tuple[Fact, ...]
    all_facts: tuple[Fact, ...]

    def cued(self) -> Iterator[Listing]:
        """Lists that follow a cue."""
        for cue in CUE.finditer(self.text, self.span.start, self.span.end):
            region = Span(cue.end(), self._list_end(cue.end()))
            after = self._in_list(region)
            wholes = self._wholes(after[0], cue.start()) if after else ()
            if wholes:
                yield from self._split(wholes, _run(wholes[0], after), region)

    def _wholes(self, part: Fact, cue_start: int) -> tuple[Fact, ...]:
        """Figures before the cue that `part` may divide, nearest first.

        Where the figure just before the cue is itself such a part (`政策类22条，其中省级16条`)
        the inner list has no certain end: it counts in brackets only, for that figure alone.
        """
        before = [fact for fact in reversed(self.facts) if fact.evidence.end <= cue_start]
        wholes = [fact for fact in before if dimension(fact, part) is not None]
        if not wholes or before[0].path != part.path:
            return tuple(w for w in wholes if dimension(w, before[0]) != dimension(w, part))
        is_bracketed = _depth(self.text[before[0].evidence.end : cue_start]) > 0
        return tuple(wholes[:1]) if is_bracketed else ()

    def summed(self) -> Iterator[Listing]:
        """Lists whose whole follows them with `合计` or the like, or with a stated overlap."""
        for position, whole in enumerate(self.facts):
            if whole.path == "proactive.category":
                continue
            parts = tuple(reversed(_run(whole, self.facts[:position][::-1])))
            if len(parts) < 2 or not _same_dimension(whole, parts):
                continue
            region = Span(parts[0].evidence.start, whole.evidence.start)
            overlap = self._overlap(region.start, self.span.end)
            gap = self.text[parts[-1].evidence.end : whole.evidence.start]
            if overlap is None and not SUM_CUE.search(gap):
                continue
            if not self._unread_figures(region, whole, overlap):
                yield Listing(whole, parts, _same_measure(whole, parts), overlap)

    def _split(self, wholes: Sequence[Fact], parts: Sequence[Fact], region: Span) -> Iterator[Listing]:
        """One listing a dimension; two dimensions in one list leave each of them open."""
        whole = wholes[0]
        dimensions = [tuple(group) for _, group in groupby(parts, lambda part: dimension(whole, part))]
        for group in dimensions:
            same = tuple(part for part in group if _same_measure(whole, (part,)))
            overlap = self._overlap(group[0].evidence.start, self._overlap_end())
            is_whole = len(dimensions) == 1 and len(group) > 1 and same == group
            is_closed = is_whole and not self._says_open(whole, group, region, overlap)
            if same:
                shorter = self._before_semicolon(same)
                yield Listing(whole, same, is_closed, overlap, tuple(wholes[1:]), shorter)

    def _before_semicolon(self, parts: Sequence[Fact]) -> tuple[Fact, ...]:
        """The parts up to the first semicolon, after which a new statement may begin."""
        stop = STOP.search(self.text, parts[0].evidence.end, parts[-1].evidence.start)
        return tuple(f for f in parts if stop is not None and f.evidence.end <= stop.start())

    def _says_open(self, whole: Fact, parts: Sequence[Fact], region: Span, overlap: Overlap | None) -> bool:
        """Whether the words around the list, or figures in it that were not read, leave it open."""
        around_cue = self.text[max(self.span.start, region.start - 4) : region.start + 4]
        tail_end = self._next_fact_start(parts[-1], region.end)
        tail = self.text[parts[-1].evidence.end : tail_end]
        return bool(
            OPEN_BEFORE.search(around_cue)
            or "等" in CLAUSE_END.split(tail, maxsplit=1)[0]
            or OPEN_AFTER.search(tail)
            or self._unread_figures(Span(region.start, tail_end), whole, overlap)
        )

    def _next_fact_start(self, fact: Fact, end: int) -> int:
        starts = [f.evidence.start for f in self.facts if f.evidence.start >= fact.evidence.end]
        return min([*starts, end])

    def _unread_figures(self, region: Span, whole: Fact, overlap: Overlap | None) -> bool:
        """Whether figures with the whole's measure stand in the list that are no facts.

        Then a part may be missing, and the sum is not assessable.
        """
        known = [Span(fact.evidence.start, fact.evidence.end) for fact in self.facts]
        known += [overlap.span] if overlap is not None else []
        for match in FIGURE_WITH_MEASURE.finditer(self.text, region.start, region.end):
            is_known = any(span.start < match.end() and match.start() < span.end for span in known)
            if not is_known and match.group(2) == measure(whole):
                return True
        return False

    def _in_list(self, region: Span) -> list[Fact]:
        """Facts inside the region and not inside brackets that open within it."""
        inside = [fact for fact in self.facts if region.start <= fact.evidence.start < region.end]
        return [f for f in inside if _depth(self.text[region.start : f.evidence.start]) == 0]

    def _list_end(self, start: int) -> int:
        """Where the list that begins at `start` ends: next cue or closing bracket at its own depth.

        A semicolon ends it too, unless a colon opened it (`其中：`) or semicolons are
        what separates its figures.
        """
        depth, separator = 0, None
        following = [f.evidence.start for f in self.facts if f.evidence.start >= start]
        first_figure = min(following, default=self.span.end)
        is_semicolon_inside = self.text[start : start + 1] in ("：", ":")
        for place in range(start, self.span.end):
            char = self.text[place]
            depth += (char in OPENING) - (char in CLOSING)
            if depth < 0 or (depth == 0 and CUE.match(self.text, place)):
                return place
            if depth == 0 and char in SEPARATORS and place > first_figure:
                separator = separator or char
                if char in ";；" and separator not in ";；" and not is_semicolon_inside:
                    return place
        return self.span.end

    def _overlap_end(self) -> int:
        """End of the next sentence of the paragraph: an overlap may be stated there."""
        following = SENTENCE.match(self.text, self.span.end + 1)
        is_same_line = self.text[self.span.end : self.span.end + 1] != "\n"
        return following.end() if following is not None and is_same_line else self.span.end

    def _overlap(self, start: int, end: int) -> Overlap | None:
        """The stated overlap; what is published 同时 elsewhere counts within the sentence only."""
        scopes = [(pattern, end) for pattern in STATED_OVERLAP]
        scopes += [(pattern, self.span.end) for pattern in SIMULTANEOUS]
        for pattern, limit in scopes:
            for match in pattern.finditer(self.text, start, limit):
                count = number_value(match.group(1))
                span = Span(*match.span(1))
                if count is not None and not any(_covers(fact, span) for fact in self.all_facts):
                    return Overlap(count, span)
        return None


def measure(fact: Fact) -> str | None:
    """The measure word of the print (`1200余条` → 条), else the fact's unit."""
    found = MEASURE.findall(fact.raw)
    return found[-1] if found else fact.unit


def _same_measure(whole: Fact, parts: Sequence[Fact]) -> bool:
    """A zero in words has no measure word and fits any."""
    counted = [part for part in parts if part.status != "zero_in_words"]
    return all(measure(part) == measure(whole) for part in counted)


def _same_dimension(whole: Fact, parts: Sequence[Fact]) -> bool:
    return len({dimension(whole, part) for part in parts}) == 1


def _run(whole: Fact, facts: Sequence[Fact]) -> list[Fact]:
    """The leading facts that are parts of `whole`; the first other fact ends the list."""
    run = []
    for fact in facts:
        if dimension(whole, fact) is None:
            break
        run.append(fact)
    return run


def _covers(fact: Fact, span: Span) -> bool:
    return fact.evidence.start < span.end and span.start < fact.evidence.end


def _depth(text: str) -> int:
    return sum(text.count(char) for char in OPENING) - sum(text.count(char) for char in CLOSING)
