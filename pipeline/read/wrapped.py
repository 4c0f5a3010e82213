"""Reports inside of JSON, as the interfaces behind web pages send them: {"title": …, "content": "<p>…"}.

The longest string is the report, as HTML or as text; strings named like a title or a date
go before it. Nothing else is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from pipeline.read.encoding import Decoded
from pipeline.read.parts import MetadataPart, Part, Reading, TextPart

_CALLBACK = re.compile(r"^[\w.$]{1,60}\(\s*([{\[].*[}\]])\s*\)\s*;?$", re.S)
_TITLE = re.compile(r"title|biaoti|标题", re.I)
_DAY = re.compile(r"(?:pub|publish|display|show|release)_?-?(?:date|time|day)|发布日期|发布时间", re.I)
_CONTENT = re.compile(r"content|article|body|html|text|正文|内容", re.I)
_SHORTEST_REPORT = 200
_LONGEST_TITLE = 120
_DEEPEST = 50  # levels of objects that are told apart
# Markup that was escaped once more than it should be.
_ESCAPED = re.compile(r"&lt;(?:p|div|table|tr|td|span|br|font)\b", re.I)
_FEWEST_ESCAPED = 3


def json_inside(text: str) -> Any | None:
    """The value of a JSON text or of a JSONP call; None for other text."""
    text = text.strip("\ufeff \t\r\n")
    call = _CALLBACK.match(text)
    text = call[1] if call else text
    if text[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The report inside of JSON as text of its own, what stands beside it, and what was left out of it."""

    inside: Decoded
    head: tuple[Part, ...]
    losses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A string with its name and the objects and lists that it stands in, outermost first."""

    name: str
    text: str
    within: tuple[int, ...]


def unwrapped(decoded: Decoded) -> Wrapped | None:
    """The report that JSON holds; None where the file is no JSON with a report."""
    value = json_inside(decoded.text)
    if value is None:
        return None
    strings = list(_strings(value))
    named = [each for each in strings if _CONTENT.search(each.name)]
    report = max(named or strings, key=lambda each: len(each.text), default=None)
    if report is None or len(report.text) < _SHORTEST_REPORT:
        return None
    others = sum(len(each.text) >= _SHORTEST_REPORT for each in strings) - 1
    losses = (f"{others} other long texts of the JSON were left out",) if others else ()
    return Wrapped(decoded.with_text(report.text), tuple(_head(strings, report)), losses)


def _head(strings: Sequence[_Text], report: _Text) -> Iterator[Part]:
    """Title and day of publication of the report: those that stand nearest around it."""
    around = [each for each in strings if report.within[: len(each.within)] == each.within]
    nearest = sorted(around, key=lambda each: -len(each.within))
    short = [each for each in nearest if 0 < len(each.text) <= _LONGEST_TITLE]
    yield from [TextPart("heading", each.text) for each in short if _TITLE.search(each.name)][:1]
    yield from [MetadataPart("PubDate", each.text) for each in short if _DAY.search(each.name)][:1]


def with_head(reading: Reading, wrapped: Wrapped) -> Reading:
    """The reading with what stood beside it, unless it prints that itself."""
    printed = "".join(part.text for part in reading.parts if isinstance(part, TextPart))
    missing = [part for part in wrapped.head if not (isinstance(part, TextPart) and part.text in printed)]
    losses = (*reading.losses, *wrapped.losses)
    return replace(reading, parts=[*missing, *reading.parts], media_type="application/json", losses=losses)


def _strings(value: Any) -> Iterator[_Text]:
    """Every string in document order; without recursion, so that depth is no matter."""
    waiting: list[tuple[str, Any, tuple[int, ...]]] = [("", value, ())]
    while waiting:
        name, each, within = waiting.pop()
        if isinstance(each, str):
            yield _Text(name, each, within)
            continue
        inner = (*within, id(each))[-_DEEPEST:]
        if isinstance(each, dict):
            waiting.extend((str(key), item, inner) for key, item in reversed(each.items()))
        elif isinstance(each, list):
            waiting.extend((name, item, inner) for item in reversed(each))


def without_extra_escape(text: str) -> str:
    """Markup that was escaped once more (`&lt;p&gt;`) as markup; other text as it is."""
    return unescape(text) if len(_ESCAPED.findall(text)) >= _FEWEST_ESCAPED else text
