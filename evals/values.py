"""When two values are the same: typed comparison, with a narrow normalisation of names.

Counts are compared exactly, money to the fen, dates as dates, names after full-width
forms, brackets, quotation marks and white space were made alike. Nothing is fuzzy: a
name with a character more is another name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache, lru_cache

from pipeline.schema import fields

Value = int | float | str | None

_SPACE = re.compile(r"\s+")
_QUOTES = re.compile(r"[\"'“”‘’「」『』《》〈〉<>]")
_BRACKETS = str.maketrans(
    {"[": "(", "]": ")", "{": "(", "}": ")", "〔": "(", "〕": ")", "【": "(", "】": ")"}
)
_END_PUNCTUATION = "。；;，,、.！!？?：:…"
EXACT_FLOATS = 2**53  # above it a float has no fen
FEN_PER_YUAN = 100
FEN_PER_WAN_YUAN = 1_000_000


def squeeze(text: str) -> str:
    """`text` without any white space."""
    return _SPACE.sub("", text)


@lru_cache(maxsize=50_000)
def normal_name(text: str) -> str:
    """A name or label as it is compared: half-width, one kind of bracket, no quotes, no white space."""
    half_width = unicodedata.normalize("NFKC", text).translate(_BRACKETS)
    return _QUOTES.sub("", squeeze(half_width))


@lru_cache(maxsize=50_000)
def subject_name(label: str | None) -> str:
    """The subject of a category as it is compared: the word 信息 at its end tells no two apart."""
    name = normal_name(label or "")
    return name.removesuffix("信息") or name


def normal_item(text: str) -> str:
    """A text item as it is compared: half-width, no white space, no punctuation at either end."""
    return squeeze(unicodedata.normalize("NFKC", text)).strip(_END_PUNCTUATION)


@cache
def kind_of(path: str) -> str:
    """The kind of a field; keys of the 2014 statistics table are counts."""
    spec = fields().get(path)
    return "count" if spec is None else spec.kind


@cache
def is_repeatable(path: str) -> bool:
    """Whether a report may state `path` several times with different values."""
    spec = fields().get(path)
    return spec is not None and spec.repeatable


@cache
def is_figure(path: str) -> bool:
    """Whether `path` holds a disclosure figure, neither metadata nor text."""
    return not path.startswith(("meta.", "text."))


def is_nonzero(value: Value) -> bool:
    """Whether `value` is a number other than zero."""
    return isinstance(value, int | float) and value != 0


def same_value(path: str, expected: Value, given: Value) -> bool:
    """Whether `given` is the value that `expected` says, by the kind of the field."""
    if expected is None or given is None:
        return expected is given
    kind = kind_of(path)
    if kind in ("count", "change", "year"):
        return _same_number(expected, given)
    if kind == "yuan":
        return _same_money(expected, given, FEN_PER_YUAN)
    if kind == "wan_yuan":
        return _same_money(expected, given, FEN_PER_WAN_YUAN)
    if kind == "date":
        return _as_date(expected) == _as_date(given)
    return _same_name(path, str(expected), str(given))


def _same_number(expected: Value, given: Value) -> bool:
    if isinstance(expected, str) or isinstance(given, str):
        return False
    return expected == given


def _same_money(expected: Value, given: Value, fen_per_unit: int) -> bool:
    if not isinstance(expected, int | float) or not isinstance(given, int | float):
        return False
    if max(abs(expected), abs(given)) > EXACT_FLOATS:
        return expected == given
    return round(expected * fen_per_unit) == round(given * fen_per_unit)


def _as_date(value: Value) -> date | str:
    """An ISO date as a date; anything else stays the text it is and equals only itself."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return str(value)


def _same_name(path: str, expected: str, given: str) -> bool:
    if path == "meta.phone":
        return _digits(expected) == _digits(given)
    return normal_name(expected) == normal_name(given)


def _digits(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isdigit())
