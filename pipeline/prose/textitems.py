"""Problems and improvements: the items that a report lists in its chapter on both.

chapter → sections (problems, improvements) → items. One item an enumerator; a
section without enumerators has one item a sentence. Phrases that only lead in
(`还存在以下不足：`) are no items. Enumerator and end punctuation are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.document import Document, Span
from pipeline.fact import Evidence, Fact
from pipeline.prose.enumerators import NUMERAL, Enumerator, find_enumerators
from pipeline.prose.textsections import PLAN_NOUN, PROBLEM_NOUN, find_sections

_SOME = rf"(?:一些|一定的?|不少|较大的?|以下|如下|几个|[{NUMERAL}两几]个?方面的?|许多)"
MERE_LEAD_IN = re.compile(rf"(?:存在着?{_SOME}?|有着?{_SOME})的?{PROBLEM_NOUN}$")
LEAD_IN = re.compile(
    rf"[^。；;：:\n]*?(?:{PROBLEM_NOUN}|{PLAN_NOUN}|以下|如下|表现(?:在|为|是)?|方面|工作)[^，,。；;：:\n]{{0,6}}[：:]"
)
TRIM = " 　\t\n。；;，,、.：:！!"
NOTHING = re.compile(r"(?:(?:暂?无|没有)(?:其他|相关)?(?:需要报告的?)?(?:问题|事项|情况)?)?")


def find_text_items(document: Document) -> tuple[Fact, ...]:
    """Facts `text.problems` and `text.improvements` in order of print.

    `value` and `raw` are the item's characters as printed; evidence points at them.
    """
    return tuple(
        Fact(
            path=f"text.{section.kind}",
            value=document.slice(item),
            raw=document.slice(item),
            source="narrative",
            method="rule",
            evidence=Evidence(start=item.start, end=item.end, page=document.page_of(item)),
        )
        for section in find_sections(document)
        for item in find_items(document.text, section.span)
    )


def find_items(text: str, span: Span) -> tuple[Span, ...]:
    """The items of one section; the style of its first enumerator is the level that counts."""
    marks = find_enumerators(text, span)
    level = [mark for mark in marks if mark.style == marks[0].style]
    raw = _enumerated(text, span, level) if level else _sentences(text, span)
    items = (_trim(text, item) for item in raw)
    return tuple(item for item in items if not NOTHING.fullmatch(text, item.start, item.end))


def _enumerated(text: str, span: Span, marks: list[Enumerator]) -> Iterator[Span]:
    """From each enumerator to the next; the last item ends with its line unless others run over lines."""
    ends = [mark.span.start for mark in marks[1:]]
    runs_over_lines = False
    for mark, end in zip(marks, ends, strict=False):
        runs_over_lines |= "\n" in text[mark.span.end : end].strip()
        yield Span(mark.span.end, end)
    last = marks[-1].span.end
    line = re.compile(r"[^\n]*").match(text, last, span.end)
    is_heading = line is not None and not line.group().rstrip(" *").endswith(tuple("。；;！"))
    yield Span(last, span.end if runs_over_lines or is_heading or line is None else line.end())


def _sentences(text: str, span: Span) -> Iterator[Span]:
    """Sentences less their lead-in; one that only says that there are problems is none."""
    found = [
        Span(*match.span())
        for match in re.compile(r"[^。！!？?\n]+").finditer(text, span.start, span.end)
        if match.group().strip(TRIM)
    ]
    for sentence in found:
        lead_in = LEAD_IN.match(text, sentence.start, sentence.end)
        rest = Span(lead_in.end() if lead_in else sentence.start, sentence.end)
        if not MERE_LEAD_IN.search(text[rest.start : rest.end].strip(TRIM)):
            yield rest


def _trim(text: str, item: Span) -> Span:
    """The item without white space and end punctuation, nor an 等等 that closes the list."""
    shown = text[item.start : item.end]
    body = re.sub(r"[，,、]?等等$", "", shown.rstrip(TRIM + "*")).rstrip(TRIM + "*")
    start = item.start + len(shown) - len(shown.lstrip(TRIM + "*"))
    return Span(start, max(start, item.start + len(body)))
