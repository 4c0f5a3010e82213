"""The body that reports: its name as the title, the signature or the text print it, and its kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.document import Document, Span
from pipeline.metadata.dates import DATE, YEAR, PrintedDate, find_dates, year_value
from pipeline.metadata.divisions import Gazetteer
from pipeline.printed import Packed, Printed, pack

_HAN = r"[\u4e00-\u9fff（）()·、]"
_TITLE_YEAR = rf"(?:{YEAR}|\d{{2,8}})年?度?"
_REPORT = r"(?:政府信息|政务信息|政务|信息)公开"
_TITLE = re.compile(
    rf"^[《#]*(?:关于)?(?P<before>{_TITLE_YEAR})?的?(?P<name>{_HAN}*?)(?:关于)?(?P<year>{_TITLE_YEAR})?的?{_REPORT}"
    rf"(?:工作|情况|的)*(?P<behind>{_TITLE_YEAR})?(?:年度|工作|情况|总结|的)*(?:报告|年报|总结)》?"
    rf"(?:[（(](?P<bracket>[^（）()]*)[)）])?$"
)
_MAX_TITLE = 80
_TITLE_LINES = 3
_HEAD_BLOCKS = 20
_CHAPTER = re.compile(r"^一[、.．,，]")
_TITLE_LABELS = frozenset({"名称", "信息名称", "文件名称", "标题"})

_BODY = (
    "人民政府|政府|办公室|办公厅|管委会|委员会|办事处|分局|总局|局|厅|委|办|中心|院|署|总队|支队|大队|公司|"
    "学校|大学|站|所|馆|处|队|社|海关"
)
_BODY_END = re.compile(rf"(?:{_BODY})(?:[（(].{{2,20}}[)）])?$")
_PLACE_END = re.compile(r"(?:省|自治区|市|县|区|旗|州|盟|地区|乡|镇|街道)$")
_SIGNED = re.compile(
    rf"(?:^|[。！；])(?P<name>{_HAN}{{3,40}}?)?(?:[（(](?:公章|盖章|印章|章)[)）])?"
    rf"[（(]?(?P<day>{DATE})[)）]?(?:印发|发布)?$"
)
_FULL_NAME = r"(?:人民政府(?!办)|行政公署|管理委员会|管委会|街道办事处|办事处)"
_EDITOR = re.compile(rf"由(?P<name>{_HAN}{{3,30}}?(?:{_BODY}))(?:根据|依据|按照|编制|汇总)")
_GOVERNMENT = re.compile(r"(?P<run>[\u4e00-\u9fff]{2,20})人民政府(?:办公[室厅])?")
_WORDS_BEFORE_NAME = re.compile(
    r".*(?:通过|根据|按照|依据|联系|以及|关于|本报告|现将|由|与|请|在|的|向|经|是|为|对|及)"
)


@dataclass(frozen=True, slots=True)
class Title:
    """A report's title: the name and the year in it, each None where the title lacks it."""

    name: Printed | None
    year: int | None
    year_printed: Printed | None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs and when; a date without a name and a name without a date both occur."""

    name: Printed | None
    day: PrintedDate | None


def head_spans(document: Document) -> list[Span]:
    """The paragraphs in front of the first chapter, at most twenty, without the metadata lines."""
    labelled = [item.span for item in document.metadata]
    spans: list[Span] = []
    for block in document.blocks:
        if block.table is not None or any(block.span.covers(span) for span in labelled):
            continue
        if _CHAPTER.match(document.slice(block.span)) or len(spans) >= _HEAD_BLOCKS:
            break
        spans.append(block.span)
    return spans


def find_title(document: Document) -> Title | None:
    """The title, on one to three lines; one with a name goes before one without.

    Where no line is a title, the title among the page's metadata.
    """
    spans = head_spans(document)
    titles: list[Title] = []
    for count in range(1, _TITLE_LINES + 1):
        for first, last in zip(spans, spans[count - 1 :], strict=False):
            title = read_title(pack(document.text, Span(first.start, last.end)))
            if title is not None and title.name is not None:
                return title
            titles.extend([title] if title is not None else [])
    for item in document.metadata:
        title = read_title(pack(document.text, item.span)) if item.label in _TITLE_LABELS else None
        titles.extend([title] if title is not None else [])
    return next((title for title in titles if title.name is not None), titles[0] if titles else None)


def read_title(packed: Packed) -> Title | None:
    """The title that a packed text is, None if it is none.

    Without a name and a year it is the name of a column: 政府信息公开年报.
    """
    match = _TITLE.match(packed.text) if len(packed.text) <= _MAX_TITLE else None
    if match is None:
        return None
    name = _title_name(packed, match)
    for group in ("year", "before", "behind", "bracket"):
        year = year_value(match[group] or "")
        if year is not None:
            start = match.start(group)
            return Title(name, year, packed.piece(start, start + 4))
    return Title(name, None, None) if name is not None else None


def _title_name(packed: Packed, match: re.Match[str]) -> Printed | None:
    start, end = match.span("name")
    if match["name"].endswith("人民") and packed.text.startswith("政府", end):
        end += 2  # 某县人民政府信息公开年报: one 政府 for two
    name = packed.text[start:end].rstrip("的")
    end = start + len(name)
    is_name = len(name) >= 2 and (_BODY_END.search(name) or _PLACE_END.search(name) or is_zone(name))
    return packed.piece(start, end) if is_name else None


def find_signature(document: Document) -> Signature:
    """Name and date behind the text: a line `某局 2019年1月17日`, or the name above the date."""
    tail = [
        block.span
        for block in document.blocks
        if block.table is None and is_second_half(document, block.span)
    ]
    for position in range(len(tail) - 1, -1, -1):
        packed = pack(document.text, tail[position])
        match = _SIGNED.search(packed.text)
        if match is None or (match["name"] is not None and not is_body(match["name"])):
            continue
        place = packed.span(*match.span("day"))
        day = next((each for each in find_dates(packed) if each.span == place), None)
        above = _body_line(document, tail[position - 1]) if position > 0 else None
        return Signature(packed.group(match, "name") or above, day)
    return Signature(_body_line(document, tail[-1]) if tail else None, None)


def is_second_half(document: Document, span: Span) -> bool:
    """Whether a span begins in the second half of the text, where signatures stand.

    A table at the very end is an attachment behind the signature and does not count.
    """
    end = next((block.span.end for block in reversed(document.blocks) if block.table is None), 0)
    return span.start >= end // 2


def _body_line(document: Document, span: Span) -> Printed | None:
    """A line that is the name of a body and nothing else."""
    packed = pack(document.text, span)
    text = re.sub(r"[（(](?:公章|盖章|印章|章)[)）]$", "", packed.text)
    return packed.piece(0, len(text)) if is_body(text) else None


def is_body(text: str) -> bool:
    """Whether a short text has the form of a body's name."""
    return re.fullmatch(rf"{_HAN}{{3,40}}", text) is not None and _BODY_END.search(text) is not None


def full_name(document: Document, place: Printed) -> Printed | None:
    """The body's name printed elsewhere where the title gives only the place (某镇2017年…)."""
    pattern = re.compile(rf"{re.escape(place.text)}{_FULL_NAME}")
    lines = list(_paragraphs(document))
    for is_whole in (True, False):
        for packed in lines:
            match = pattern.fullmatch(packed.text) if is_whole else pattern.search(packed.text)
            if match is not None:
                return packed.group(match)
    return None


def body_issuer(document: Document, table: Gazetteer) -> Printed | None:
    """The issuer of a report without title and signature: who compiled it, else the government named most."""
    names: list[Printed] = []
    for packed in _paragraphs(document):
        editor = _EDITOR.search(packed.text)
        name = packed.group(editor, "name") if editor else None
        if name is not None:
            return name
        names.extend(_governments(packed, table))
    if not names:
        return None
    most, _ = Counter(name.text for name in names).most_common(1)[0]
    return next(name for name in names if name.text == most)


def _governments(packed: Packed, table: Gazetteer) -> Iterator[Printed]:
    """Names that end in 人民政府; where one begins is told by the table, else by the words before it."""
    for match in _GOVERNMENT.finditer(packed.text):
        start, end = match.span("run")
        known = [
            position
            for position in range(start, end - 1)
            if (chain := table.chain_at(packed.text, position)) is not None and chain.end == end
        ]
        words = _WORDS_BEFORE_NAME.match(match["run"])
        begin = known[0] if known else start + (words.end() if words else 0)
        if end - begin >= 2:
            yield packed.piece(begin, match.end())


def _paragraphs(document: Document) -> Iterator[Packed]:
    for block in document.blocks:
        if block.table is None:
            yield pack(document.text, block.span)


def is_zone(name: str) -> bool:
    """Whether a name is that of a development zone, new area or the like."""
    return _ZONE.search(name) is not None


_ZONE = re.compile(
    "(?:开发区|高新区|产业园|园区|保税区|保税港区|度假区|示范区|工业区|管理区|试验区|合作区|风景区|新区|集聚区)"
    "(?:管理委员会|管委会|管理局|办公室|办事处)?$"
)
_TYPES: tuple[tuple[str, str], ...] = (
    ("township", r"(?:乡|镇|街道)(?:人民政府|政府|办事处|党政综合办公室|党政办公室|党政办|管理委员会)?$"),
    ("township", r"街道办$"),
    ("government_office", r"(?:人民政府|政府|行政公署)(?:办公室|办公厅|办|党政办公室)$"),
    ("government", r"(?:人民政府|政府|行政公署)$"),
    ("institution", r"(?:学院|大学|[学小中]校|中学|小学|医院|[究学]院|[书物化案]馆|中心|站|所|园|社)$"),
    ("department", r"(?:局|委员会|委|厅|部|办公室|办公厅|办|处|队|署|海关|院|馆|税务局)$"),
)


def issuer_type(name: str) -> str:
    """The kind of body: government, government_office, department, township, institution, zone, other."""
    plain = re.sub(r"[（(].*?[)）]", "", name)
    if is_zone(plain):
        return "zone"
    for kind, pattern in _TYPES:
        if re.search(pattern, plain):
            return kind
    return "government" if _PLACE_END.search(plain) else "other"
