"""The chapter on problems and improvements, split into the sections of each.

The chapter is found by its heading; without one, by the words with which the second
half of a report begins to speak of problems. Labels (`改进措施：`), turns of phrase
(`下一步`, `2020年，我镇将`) and a numbering that begins again part improvements from
problems.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.document import Document, Span
from pipeline.numerals import chinese_value
from pipeline.prose.enumerators import ENUMERATORS, NUMERAL, Enumerator, find_enumerators, sentence_starts

Kind = Literal["problems", "improvements"]
YEAR = r"[0-9０-９〇○零一二三四五六七八九OＯ]{4}"
CHAPTER_STYLES = (
    re.compile(rf"^[#* ]*第? ?(?P<number>[{NUMERAL}]{{1,3}}) ?(?:部分|章|[、，,．.：:])(?P<title>.*)$"),
    re.compile(
        rf"^[#* ]*(?![（(]?(?:[{NUMERAL}]{{1,3}}|[\d０-９]{{1,2}}) ?[）)、，,．.：:是])(?P<title>.*)$"
    ),
    re.compile(rf"^[#* ]*[（(] ?(?:[{NUMERAL}]{{1,3}}|\d{{1,2}}) ?[）)](?P<title>.*)$"),
    re.compile(r"^[#* ]*\d{1,2} ?[、．.](?!\d)(?P<title>.*)$"),
)
"""How chapters are numbered, most usual first: 一、 or 第一部分; not at all; （一）; 1."""
ON_PROBLEMS = re.compile(r"问题|不足|困难|薄弱环节|差距")
ON_IMPROVEMENTS = re.compile(
    r"改进|整改|下一步|下步|下一阶段|今后|打算|对策|工作(?:计划|安排|设想|思路)|努力方向|明年|和计划"
)
NOT_THE_CHAPTER = re.compile(r"[。；;]|代表建议|提案|群众反映的?问题|解读|回应")
LONGEST_HEADING = 40
PROBLEM_NOUN = r"(?:问题|不足之处|不足|困难|薄弱环节|差距)"
PLAN_NOUN = (
    r"(?:改进(?:情况|措施|打算|办法|方向|意见|方面|计划|工作)?|整改(?:情况|措施)?|打算|计划|安排|工作思路"
    r"|努力方向|对策|解决(?:办法|措施)|措施)"
)
LABELS: dict[Kind, str] = {
    "problems": (
        rf"(?:目前|当前|工作)?中?(?:还|仍)?(?:存在|面临)?的?(?:主要|突出)?的?{PROBLEM_NOUN}"
        rf"(?:[和及与、]{PROBLEM_NOUN})?(?:及原因)?(?:主要)?(?:有|是|如下)?"
    ),
    "improvements": (
        rf"(?:{YEAR}年度?)?(?:下一步|下步|今后|来年|明年)?的?(?:主要|重点)?(?:工作)?(?:主要)?的?{PLAN_NOUN}"
        rf"(?:[和及与、](?:下一步|下步|今后)?的?(?:工作)?{PLAN_NOUN})?|下一步(?:工作)?|下步(?:工作)?"
        rf"|{YEAR}年度?重点工作"
    ),
}
LABEL = re.compile(
    rf"(?P<number>[（(]?(?:[{NUMERAL}]{{1,3}}|\d{{1,2}})[）)、.．是]+ ?)?"
    rf"(?:(?P<problems>{LABELS['problems']})|(?P<improvements>{LABELS['improvements']}))"
    rf"(?:[：:]|(?=\n|$)|(?(number)。|(?!)))"
)
_PLANNED = (
    r"将|拟|着重|着力|着手|(?<![主重需])要(?!求)"
    rf"|(?:计划|打算)(?:[：:，,]|从|在|重点|开展|进一步|做好)|{PLAN_NOUN}[：:]"
)
_BETTER = r"(?:加强|提高|完善|健全|加大|拓宽|规范|深化|强化|推进|丰富|做好|提升|优化)"
TURN = re.compile(
    rf"(?:在)?(?:今后|下一步|下步|下一阶段|下一年|来年|明年|新的一年)|针对(?!性)|对此|为此"
    rf"|对于?(?:以上|上述|这些|存在)|(?:为)?(?:解决|克服)(?:以上|上述|这些|存在)"
    rf"|{PLAN_NOUN}(?:主要)?(?:如下|有|是)?[，,：:]|改进方面"
    rf"|{YEAR} ?年度?[^。；;：:\n]{{0,30}}?(?:{_PLANNED})"
    rf"|[我本][^。；;：:\n]{{0,6}}将|将(?:重点|从|着力|进一步|继续|认真|采取|主要)"
    rf"|(?:我们|[我本][局办镇乡区县市委厅街道单位中心机关]{{1,3}})?[，,]?[要应需]?(?:进一步|切实|继续|不断|认真){_BETTER}"
)
PLAIN_TURN = re.compile(r"在?(?:今后|下一步|下步|来年|明年)")
OPENING_OF_PROBLEMS = re.compile(
    rf"(?:主要|存在的?|工作中的?)*{PROBLEM_NOUN}(?:主要)?(?:是|有|在于)"
    rf"|[^。；;\n]{{0,60}}(?:还|仍|也|主要)?存在[^。；;，,\n]{{0,12}}{PROBLEM_NOUN}"
)
FAREWELL = re.compile(r"^(?:附件|附表|附：|特此|上一篇|下一篇|责任编辑|打印|分享|扫一扫|来源[：:])")
DATE_LINE = re.compile(rf"{YEAR} ?年 ?[\d{NUMERAL}]{{1,3}} ?月[^。；;，]*$")


@dataclass(frozen=True, slots=True)
class Section:
    """Part of the chapter that lists problems, or improvements."""

    kind: Kind
    span: Span


def find_sections(document: Document) -> tuple[Section, ...]:
    """The sections of the chapters on problems and improvements, in order of print."""
    for style in CHAPTER_STYLES:
        chapters = list(_chapters(document, style))
        if chapters:
            break
    else:
        chapters = list(_without_heading(document))
    return tuple(section for chapter in chapters for section in _split(document.text, chapter))


def _chapters(document: Document, style: re.Pattern[str]) -> Iterator[Section]:
    """Bodies of the chapters whose headings are on the matter; `kind` is what they begin with."""
    titles = _titles(document, style)
    for position, (heading, title) in enumerate(titles):
        on_problems = ON_PROBLEMS.search(title)
        if NOT_THE_CHAPTER.search(title) or not (on_problems or ON_IMPROVEMENTS.search(title)):
            continue
        end = titles[position + 1][0].start if position + 1 < len(titles) else len(document.text)
        yield Section("problems" if on_problems else "improvements", _body(document, heading.end, end))


def _titles(document: Document, style: re.Pattern[str]) -> list[tuple[Span, str]]:
    """Chapter headings of one style; without a number only what the reader took for a heading.

    A list inside a chapter that begins at 一、 again does not end the chapter.
    """
    titles = []
    last = 0
    for block in document.blocks:
        line = document.slice(block.span)
        match = style.match(line) if block.kind != "table" and len(line) <= LONGEST_HEADING else None
        if match is None or (block.kind != "heading" and style is CHAPTER_STYLES[1]):
            continue
        number = chinese_value(match["number"]) or 0 if "number" in style.groupindex else last + 1
        if number > last:
            titles.append((block.span, match["title"].strip("*# ")))
            last = number
    return titles


def _without_heading(document: Document) -> Iterator[Section]:
    """A report without such a chapter: where its second half begins to speak of problems or plans."""
    text = document.text
    starts = sentence_starts(text, Span(len(text) // 2, len(text)))[1:]
    planned = [start for start in starts if PLAIN_TURN.match(text, start)]
    problems = [s for s in starts if OPENING_OF_PROBLEMS.match(text, s) and not TURN.match(text, s)]
    if problems:
        yield Section("problems", _body(document, problems[0], len(text)))
    elif planned:
        yield Section("improvements", _body(document, planned[0], len(text)))


def _body(document: Document, start: int, end: int) -> Span:
    """The region less the signature, the date, tables, and what a web page adds after them."""
    lines: list[Span] = []
    for block in document.blocks:
        if not start <= block.span.end or block.span.start >= end:
            continue
        if block.kind == "table" or FAREWELL.match(document.slice(block.span)):
            end = max(start, block.span.start)
            break
        lines.append(block.span)
    while lines and lines[-1].start >= start and _is_signature(document.slice(lines[-1])):
        end = lines.pop().start
    return Span(start, end)


def _is_signature(line: str) -> bool:
    """A short line without punctuation that is no item, or one that ends with a date."""
    if len(line) > LONGEST_HEADING or any(pattern.match(line) for pattern in ENUMERATORS.values()):
        return False
    return DATE_LINE.search(line) is not None or not any(mark in line for mark in "。；;：:，")


def _split(text: str, chapter: Section) -> Iterator[Section]:
    """Sections of a chapter: a label or a turn of phrase begins the next one."""
    kind, start = chapter.kind, chapter.span.start
    for place, next_kind, next_start in _turns(text, chapter):
        yield Section(kind, Span(start, place))
        kind, start = next_kind, next_start
    yield Section(kind, Span(start, chapter.span.end))


def _turns(text: str, chapter: Section) -> Iterator[tuple[int, Kind, int]]:
    """Where a section ends, what comes next, and where its text begins."""
    kind = chapter.kind
    marks = find_enumerators(text, chapter.span)
    restarts = _restarts(text, chapter.span, marks)
    resumption: int | None = None
    for start in sentence_starts(text, chapter.span):
        label = LABEL.match(text, start, chapter.span.end)
        is_turn = TURN.match(text, start, chapter.span.end) is not None or start in restarts
        if label is None and start != resumption and not (kind == "problems" and is_turn):
            continue
        was_problems = kind == "problems"
        if label is not None:
            kind = "problems" if label.group("problems") else "improvements"
        else:
            kind = "problems" if start == resumption else "improvements"
        resumption = _resumption(marks, start) if was_problems and kind == "improvements" else None
        yield start, kind, start if label is None else label.end()


def _resumption(marks: Sequence[Enumerator], turn: int) -> int | None:
    """Where the list of problems goes on after an improvement that was said in between.

    `（一）… 改进情况：… （二）…`: the next enumerator continues the number before the turn.
    """
    level = [mark for mark in marks if mark.style == marks[0].style]
    behind = bisect_left([mark.span.start for mark in level], turn)
    if not 0 < behind < len(level) or level[behind].ordinal != level[behind - 1].ordinal + 1:
        return None
    return level[behind].span.start


def _restarts(text: str, span: Span, marks: Sequence[Enumerator]) -> frozenset[int]:
    """Starts of the sentences in which the numbering of the chapter's first list begins again."""
    firsts = [mark for mark in marks if mark.style == marks[0].style and mark.ordinal == 1]
    starts = sentence_starts(text, span)
    return frozenset(starts[bisect_right(starts, mark.span.start) - 1] for mark in firsts[1:])
