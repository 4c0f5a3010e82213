"""What a printed line looks like: heading, enumerator, figure, page number, date, signature."""

from __future__ import annotations

import re

_NUMERAL = "一二三四五六七八九十"
CHAPTER = re.compile(
    rf"^(?:[{_NUMERAL}]{{1,3}}[、，,．.]|第[{_NUMERAL}]{{1,3}}(?:[章节篇]|部分)|【[{_NUMERAL}]{{1,3}}】)"
)
_SECTION = re.compile(rf"^[（(〔][{_NUMERAL}]{{1,3}}[)）〕]")
_ITEM = re.compile(
    rf"^(?:[{_NUMERAL}]{{1,3}}是|\d{{1,2}}[.．、)）](?!\d)|[（(]\d{{1,2}}[)）]|[①-⑳]|[-–—•·●■◆*]|[><|#]|附件|附[:：]|注[:：])"
)
_SENTENCE_END = "。！？：；”…!?:;｡"
_SENTENCE = re.compile("[。！？；｡]")
_CLAUSE = re.compile("[，。：；、,:;]")
_PRINTED_FIGURE = (
    r"(?:[-+－﹣−]|[增减]少?)?\s*[\d０-９][\d０-９,，.．\s]*"
    r"(?:件|条|项|次|篇|元|万元|人|个|%|％)?(?:[（(].{1,20}[)）])?"
)
_NO_FIGURE = r"[/／\\—–\-－―─]{1,4}|[○〇零无]"
_FIGURE = re.compile(f"^(?:{_PRINTED_FIGURE}|{_NO_FIGURE})$")
_DASHED_PAGE = r"[-－—–─_·~]+\s*[\d０-９]{1,4}\s*[-－—–─_·~]+"
_COUNTED_PAGE = r"第?\s*\d{1,4}\s*页\s*[,，/、]?\s*(?:[（(]?\s*共\s*\d{1,4}\s*页\s*[)）]?)?"
_PAGE_NUMBER = re.compile(f"^(?:{_DASHED_PAGE}|{_COUNTED_PAGE})$")
_BARE_PAGE = re.compile(r"^\d{1,3}$")
_DATE = re.compile(r"^[(（]?[\d０-９二〇零○OoＯ一三四五六七八九]{4}\s*[年./-][^，。]{2,12}[日号\d][)）]?$")
_SIGNATURE = re.compile(r"(?:政府|局|办公[室厅]|委员会|管委会|中心|厅|院|委|办|处|街道|镇|乡|区|县|市)$")
_TITLE = re.compile(r"信息公开.{0,12}(?:报告|年报)")
# Rows of the requests table that begin like chapters.
_ROW_LIKE_CHAPTER = re.compile("新收|上年.*结转|办理结果|结转下年|结转下一?年度")

MAX_HEADING = 45
MAX_UNMARKED_HEADING = 30


def is_page_number(line: str) -> bool:
    """`- 2 -`, `—4—`, `第4页 共6页`: a page number whatever stands around it."""
    return bool(_PAGE_NUMBER.match(line))


def is_bare_number(line: str) -> bool:
    """One to three digits alone: a page number only where its surroundings say so."""
    return bool(_BARE_PAGE.match(line))


def is_figure(text: str) -> bool:
    """Whether a cell holds nothing but a figure or one of the marks printed for none."""
    return bool(_FIGURE.match(text))


def is_date(line: str) -> bool:
    """A line that is only a date, as under a signature."""
    return bool(_DATE.match(line))


def is_signature(line: str) -> bool:
    """A short line that ends like the name of a body."""
    return len(line) <= 25 and not _CLAUSE.search(line) and bool(_SIGNATURE.search(line))


def is_title(line: str) -> bool:
    """A line that names a disclosure report."""
    is_short = len(line) <= 60 and "信息公开" in line
    return is_short and not _SENTENCE.search(line) and bool(_TITLE.search(line))


def ends_sentence(line: str) -> bool:
    """Whether the line ends where a sentence may end."""
    return line[-1:] in _SENTENCE_END


def has_sentence(line: str) -> bool:
    """Whether the line holds the end of a sentence."""
    return bool(_SENTENCE.search(line))


def has_clause(line: str) -> bool:
    """Whether the line holds punctuation that prose has and titles lack."""
    return bool(_CLAUSE.search(line))


def is_chapter(line: str) -> bool:
    """A chapter heading, and not one of the table rows that are numbered the same way."""
    return bool(CHAPTER.match(line)) and len(line) <= MAX_HEADING and not _ROW_LIKE_CHAPTER.search(line)


def starts_item(line: str) -> bool:
    """Whether the line begins with an enumerator, bullet or heading number."""
    return bool(CHAPTER.match(line) or _SECTION.match(line) or _ITEM.match(line))


def is_heading(line: str) -> bool:
    """Best effort: a short line without a sentence, marked by a number or by being bare."""
    if not line or _SENTENCE.search(line) or is_date(line) or is_figure(line):
        return False
    if CHAPTER.match(line) or _SECTION.match(line):
        return len(line) <= MAX_HEADING
    if is_title(line):
        return True
    return len(line) <= MAX_UNMARKED_HEADING and not _CLAUSE.search(line) and not _SIGNATURE.search(line)
