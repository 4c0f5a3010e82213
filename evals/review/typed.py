"""What a person typed for a figure → value, status and bound, or a word of why it cannot be that.

Marks are those of gold files: `_` blank, `/` not applicable, `无` zero in words, `?` illegible. Figures
may have separators, full-width digits, Chinese characters, and words or signs that bound them
(`4200余`, `≥4200`, `近百`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import get_args

from evals.gold_file import GoldMeta
from evals.values import EXACT_FLOATS, kind_of
from pipeline.fact import Bound, Fact, Status
from pipeline.metadata.dates import date_value
from pipeline.numerals import find_numerals, number_value, trailing_bound

MARKS: dict[Status, str] = {
    "blank": "_",
    "not_applicable": "/",
    "zero_in_words": "无",
    "illegible": "?",
}
_STATUS_OF: dict[str, Status] = {mark: status for status, mark in MARKS.items()} | {
    "—": "not_applicable",
    "－": "not_applicable",
    "-": "not_applicable",
    "·": "blank",
}
BOUND_SIGNS: dict[Bound, str] = {"exact": "", "at_least": "≥", "at_most": "≤", "about": "≈"}
_BOUND_OF: dict[str, Bound] = {
    "≥": "at_least",
    ">=": "at_least",
    "≤": "at_most",
    "<=": "at_most",
    "≈": "about",
}
_SIGNED = re.compile(r"(≥|≤|≈|>=|<=)\s*(.*)", re.DOTALL)
_NEGATIVE = re.compile(r"[-−–﹣减]\s*(.+)", re.DOTALL)
_ARABIC = re.compile(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", re.ASCII)
_MONEY_UNITS = {"yuan": "元", "wan_yuan": "万元"}
_FEN_DIGITS = {"yuan": 2, "wan_yuan": 6}
CHOICE_NAMES: dict[str, dict[str, str]] = {
    "meta.issuer_type": {
        "人民政府": "government",
        "政府办公室": "government_office",
        "部门": "department",
        "乡镇街道": "township",
        "事业单位": "institution",
        "开发区": "zone",
        "其他": "other",
    },
    "meta.level": {
        "国家级": "national",
        "省级": "province",
        "地市级": "prefecture",
        "县级": "county",
        "乡级": "township",
    },
}
"""What may be typed in Chinese for a field that is limited to a few values."""
_YEARS = range(2008, 2101)
_LONGEST = 2000
_CODE = re.compile(r"\d{6}", re.ASCII)
_PHONE = re.compile(r"[\d()（）\-—－+,，、;；/ 转]{3,60}")


@dataclass(frozen=True, slots=True)
class Typed:
    """A value with its kind. `value` is None where the status has none."""

    value: int | float | str | None
    status: Status = "value"
    bound: Bound = "exact"


class TypedWrong(ValueError):
    """What was typed cannot stand in the field: a key of words.yaml, and what it quotes."""

    def __init__(self, key: str, typed: str) -> None:
        super().__init__(f"{key}: {typed!r}")
        self.key = key
        self.typed = typed if len(typed) <= 60 else f"{typed[:60]}…"


def read_typed(path: str, typed: str) -> Typed:
    """The value that `typed` is in the field `path`.

    Raises TypedWrong with what was typed and the word that says what is allowed.
    """
    text = _plain(typed)
    if text in _STATUS_OF:
        return _marked(path, text, _STATUS_OF[text])
    kind = kind_of(path)
    if kind == "text":
        return Typed(_text_value(path, text, typed))
    if kind == "date":
        return Typed(_date(text, typed))
    if kind == "year":
        return Typed(_year(text, typed))
    return _number(kind, text, typed)


def _plain(typed: str) -> str:
    """Half-width digits and signs, without white space around; Chinese text stays as it is."""
    return "".join(_half_width(sign) for sign in typed).strip()


def _half_width(sign: str) -> str:
    if sign in "０１２３４５６７８９．，－＋／？＿＜＞＝％":
        return unicodedata.normalize("NFKC", sign)
    return " " if sign in "\u3000\u00a0\t\r\n" else sign


def _marked(path: str, text: str, status: Status) -> Typed:
    is_number = kind_of(path) not in ("text", "date", "year")
    if status == "zero_in_words":
        if not is_number:
            raise TypedWrong("review.wrong_zero", text)
        return Typed(0, "zero_in_words")
    return Typed(None, status)


def _number(kind: str, text: str, typed: str) -> Typed:
    signed = _SIGNED.fullmatch(text)
    bound: Bound = "exact" if signed is None else _BOUND_OF[signed[1]]
    core = text if signed is None else signed[2].strip()
    negative = _NEGATIVE.fullmatch(core) if kind == "change" else None
    if negative is not None:
        core = negative[1].strip()
    core = core.removeprefix("+").removesuffix(_MONEY_UNITS.get(kind, "\n")).strip()
    value, said = _value_of(core)
    if kind == "wan_yuan" and re.search(r"[万亿]", core):
        value = None  # 3.2万 in a field of 万元: 3.2 or 32,000
    if value is None or not _is_allowed(kind, value):
        raise TypedWrong(f"review.wrong_{kind if kind in _KINDS else 'count'}", typed)
    return Typed(-value if negative and value else value, "value", bound if said == "exact" else said)


_KINDS = ("count", "change", "yuan", "wan_yuan")


def _value_of(core: str) -> tuple[int | float | None, Bound]:
    if _ARABIC.fullmatch(core):
        return number_value(core.replace(",", "").replace(" ", "")), "exact"
    numerals = list(find_numerals(core))
    if len(numerals) != 1 or numerals[0].span != (0, len(core)):
        return None, "exact"
    return numerals[0].value, numerals[0].bound


def _is_allowed(kind: str, value: int | float) -> bool:
    if abs(value) > EXACT_FLOATS:
        return False
    if kind in _FEN_DIGITS:
        return round(value, _FEN_DIGITS[kind]) == value
    return float(value).is_integer()


def _text_value(path: str, text: str, typed: str) -> str:
    if not text or len(text) > _LONGEST:
        raise TypedWrong("review.wrong_text", typed)
    choices = choices_of(path)
    text = CHOICE_NAMES.get(path, {}).get(text, text)
    if choices and text not in choices:
        raise TypedWrong(f"review.wrong_{path.rpartition('.')[2]}", typed)
    if path == "meta.division_code" and not _CODE.fullmatch(text):
        raise TypedWrong("review.wrong_code", typed)
    if path == "meta.phone" and not _PHONE.fullmatch(text):
        raise TypedWrong("review.wrong_phone", typed)
    return text


def choices_of(path: str) -> tuple[str, ...]:
    """The values that a field is limited to; none where it is free."""
    if path not in ("meta.issuer_type", "meta.level"):
        return ()
    annotation = GoldMeta.model_fields[path.removeprefix("meta.")].annotation
    return tuple(value for option in get_args(annotation) for value in get_args(option))


def _date(text: str, typed: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        found = date_value(re.sub(r"\s", "", text))
    if found is None:
        raise TypedWrong("review.wrong_date", typed)
    return found.isoformat()


def _year(text: str, typed: str) -> int:
    digits = text.removesuffix("年")
    if not digits.isascii() or not digits.isdigit() or len(digits) != 4 or int(digits) not in _YEARS:
        raise TypedWrong("review.wrong_year", typed)
    return int(digits)


def shown(fact: Fact | None) -> str:
    """A value as it is shown and typed; nothing where there is no fact."""
    if fact is None:
        return ""
    mark = MARKS.get(fact.status)
    if mark is not None:
        return mark
    value = fact.value
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    return f"{BOUND_SIGNS[fact.bound]}{value}"


def name_of(path: str, value: str) -> str:
    """The Chinese name of a value of such a field; nothing where it has none."""
    return next((name for name, each in CHOICE_NAMES.get(path, {}).items() if each == value), "")


def proposed(path: str, raw: str) -> Typed | None:
    """The value that a print has in a field, as far as its numerals tell; None where they do not."""
    kind = kind_of(path)
    if kind in ("text", "date", "year"):
        return _proposed_text(path, raw)
    numerals = list(find_numerals(raw))
    if not numerals:
        return Typed(0, "zero_in_words") if re.search(r"[未无没零]", raw) else None
    numeral = numerals[0]
    value: int | float = numeral.value
    after = raw[numeral.span.end :].lstrip()
    if kind == "wan_yuan" and (after.startswith("元") or re.search(r"[万亿]", raw[: numeral.span.end])):
        value = value / 10_000
    negative = kind == "change" and re.search(r"[-−减]", raw[: numeral.span.start])
    trailing = None if numeral.bound != "exact" else _bound_behind(raw, numeral.span.end)
    if float(value).is_integer():
        value = int(value)
    return Typed(-value if negative else value, "value", trailing or numeral.bound)


def _bound_behind(raw: str, position: int) -> Bound | None:
    """以上, 左右 … behind the measure word."""
    for at in range(position, min(position + 4, len(raw))):
        found = trailing_bound(raw, at)
        if found is not None:
            return found[0]
    return None


def _proposed_text(path: str, raw: str) -> Typed | None:
    try:
        return read_typed(path, raw)
    except TypedWrong:
        return None
