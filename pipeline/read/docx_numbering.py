"""The numbers that Word prints in front of paragraphs and does not keep in their text: `一、`, `（二）`, `3.`

ECMA-376 Part 1, §17.9. A paragraph names a list and a level, itself or through its style;
the list says how a level counts and what stands around the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACE = re.compile(r"%([1-9])")
_DIGITS = "零一二三四五六七八九"
_CHINESE = {
    "chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand",
    "japaneseCounting", "ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand",
}  # fmt: skip
_CIRCLED = {"decimalEnclosedCircle", "decimalEnclosedCircleChinese"}


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    number_format: str
    text: str


@dataclass
class Numbering:
    """The lists of a document and how far each has counted."""

    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    restarts: dict[tuple[str, int], int] = field(default_factory=dict)
    _counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def prefix(self, list_id: str, level: int) -> str:
        """What is printed in front of the next paragraph of this list and level; empty for bullets."""
        abstract = self.lists.get(list_id)
        known = self.levels.get(abstract or "", {})
        if abstract is None or level not in known:
            return ""
        # A list of its own that counts like another one says once where it begins.
        start = self.restarts.pop((list_id, level), None)
        count = self._counts.get((abstract, level), known[level].start - 1) + 1 if start is None else start
        self._counts[abstract, level] = count
        for deeper in [key for key in self._counts if key[0] == abstract and key[1] > level]:
            del self._counts[deeper]
        if known[level].number_format in ("bullet", "none"):
            return ""
        return _PLACE.sub(lambda place: self._number(abstract, int(place[1]) - 1), known[level].text)

    def _number(self, abstract: str, level: int) -> str:
        found = self.levels[abstract].get(level)
        if found is None:
            return ""
        return _as_printed(self._counts.get((abstract, level), found.start), found.number_format)


def numbering_of(root: Any) -> Numbering:
    """The lists that the numbering part `root` defines; none where there is no such part."""
    if root is None:
        return Numbering()
    levels = {
        each.get(f"{W}abstractNumId"): {level.get(f"{W}ilvl"): level for level in each.iter(f"{W}lvl")}
        for each in root.iter(f"{W}abstractNum")
    }
    return Numbering(
        {
            name: {int(index): _level(level) for index, level in found.items() if (index or "").isdecimal()}
            for name, found in levels.items()
        },
        dict(_lists(root)),
        dict(_restarts(root)),
    )


def _lists(root: Any) -> Iterator[tuple[str, str]]:
    for each in root.iter(f"{W}num"):
        yield each.get(f"{W}numId"), value(each, "abstractNumId") or ""


def _restarts(root: Any) -> Iterator[tuple[tuple[str, int], int]]:
    for each in root.iter(f"{W}num"):
        for override in each.iter(f"{W}lvlOverride"):
            level, start = override.get(f"{W}ilvl") or "", value(override, "startOverride") or ""
            if level.isdecimal() and start.isdecimal():
                yield (each.get(f"{W}numId"), int(level)), int(start)


def _level(element: Any) -> _Level:
    start = value(element, "start") or "1"
    return _Level(
        int(start) if start.isdecimal() else 1,
        value(element, "numFmt") or "decimal",
        value(element, "lvlText") or "",
    )


def value(parent: Any, name: str) -> str | None:
    """The `w:val` of the child `name`; None where there is no such child."""
    child = None if parent is None else parent.find(f"{W}{name}")
    return None if child is None else child.get(f"{W}val")


def _as_printed(number: int, number_format: str) -> str:
    if number_format in _CHINESE:
        return chinese_numeral(number)
    if number_format in _CIRCLED and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if number_format in ("lowerLetter", "upperLetter") and 1 <= number <= 26:
        return chr((96 if number_format == "lowerLetter" else 64) + number)
    return str(number)


def chinese_numeral(number: int) -> str:
    """1 to 99 as 一 … 九十九; other numbers in digits, which no list of a report reaches."""
    if not 1 <= number <= 99:
        return str(number)
    tens, ones = divmod(number, 10)
    ten = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return ten + (_DIGITS[ones] if ones else "")
