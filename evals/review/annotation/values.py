"""What an annotator types → what a gold draft holds, and back.

Cells of tables: a figure, `_`, `/`, `w` or 无, `?`, and `x` where the report's form has no such cell.
Metadata: as printed, and `x` where the report does not print it. Nothing typed is not annotated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evals.gold_file import GoldMeta
from evals.occurrences import SearchText
from evals.review.annotation.state import ABSENT, NOT_PRINTED, DraftItem, DraftLine
from evals.review.typed import MARKS, TypedWrong, choices_of, proposed, read_typed
from evals.values import EXACT_FLOATS, is_repeatable, kind_of, squeeze
from pipeline.document import Span

_FIGURE = re.compile(r"([-−－]?)(\d[\d,， ]*(?:[.．]\d+)?)")
_NOT_PRINTED = ("x", "X", "ｘ", "_", "/")
_SHORTEST, _LONGEST = 4, 8
_SENTENCE_END = re.compile(r"[。；;！？!?]")
_END_PUNCTUATION = "。；;，,、.！!？?：: \t\r\n\u3000"
_FURTHEST = 400
ENUMERATOR = re.compile(
    r"\s*(?:[（(][一二三四五六七八九十\d]{1,3}[)）]|[一二三四五六七八九十]{1,3}(?:是|、|方面)|第[一二三四五六七八九十]{1,2}"
    r"|其[一二三四五六]|\d{1,2}(?:[.．、]|\\\.)(?!\d)|[①-⑳])[，,、：:]?\s*"
)


class Wrong(ValueError):
    """What was typed cannot stand there: the word that says what is allowed, and what was typed."""

    def __init__(self, word: str, typed: str) -> None:
        super().__init__(f"{word}: {typed!r}")
        self.word, self.typed = word, typed[:60]


def cell_of(path: str, typed: str) -> int | float | str | None:
    """The entry of a table cell. Raises Wrong."""
    text = typed.strip()
    if not text:
        return None
    if text in ("x", "X", "ｘ"):
        return ABSENT
    if text in ("w", "b"):
        return {"w": "无", "b": "_"}[text]
    try:
        read = read_typed(path, text)
    except TypedWrong:
        return _as_printed(text)
    if read.bound != "exact":
        raise Wrong("annotate.wrong_cell", typed)
    mark = MARKS.get(read.status)
    return mark if mark is not None else read.value


def _as_printed(text: str) -> int | float:
    """A figure that no count can be but that a report may print: below zero, or with a fraction."""
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise Wrong("annotate.wrong_cell", text)
    digits = re.sub(r"[,， ]", "", match[2]).replace("．", ".")
    value = float(digits) if "." in digits else int(digits)
    if value > EXACT_FLOATS:
        raise Wrong("annotate.wrong_cell", text)
    return -value if match[1] else value


def meta_of(key: str, typed: str) -> int | str | None:
    """The value of `meta.KEY`. Raises Wrong."""
    text = typed.strip()
    if not text:
        return None
    if text in _NOT_PRINTED or text == NOT_PRINTED:
        return NOT_PRINTED
    try:
        value = read_typed(f"meta.{key}", text).value
    except TypedWrong:
        raise Wrong(_meta_word(key), typed) from None
    if value is None or isinstance(value, float):
        raise Wrong(_meta_word(key), typed)
    return value


def _meta_word(key: str) -> str:
    if choices_of(f"meta.{key}"):
        return "annotate.wrong_choice"
    kind = kind_of(f"meta.{key}")
    if key in ("division_code", "phone"):
        return f"annotate.wrong_{key}"
    return f"annotate.wrong_{kind}"


def value_of(key: str, typed: str) -> Any:
    """What `typed` is at `key` of a draft. Raises Wrong, and ValueError for a key that is not typed so."""
    group, _, rest = key.partition(".")
    if group == "meta" and rest in GoldMeta.model_fields:
        return meta_of(rest, typed)
    if group == "templates":
        return typed or None
    if key == "notes":
        return typed.strip() or None
    if group in ("proactive", "requests", "remedies", "statistics"):
        return cell_of(key, typed)
    raise ValueError(f"{key!r} is not typed")


def shown(value: Any) -> str:
    """A value of a draft as it is shown and typed."""
    if value is None:
        return ""
    if value == NOT_PRINTED:
        return ABSENT
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# ---- the prose ----


def line_value_shown(line: Mapping[str, Any]) -> str:
    """The value of a line as it is shown and typed."""
    mark = MARKS.get(line["status"])
    return mark if mark is not None else shown(line["value"])


def line_with(
    line: Mapping[str, Any], field: str, typed: str, text: SearchText, place: int | None
) -> dict[str, Any]:
    """The line after `field` was typed; value and bound follow the print until they are typed themselves.

    `place` is where in the text the print was chosen. Raises Wrong.
    """
    new = DraftLine.model_validate(line).model_dump()
    typed = typed.strip()
    if field == "raw":
        follows = _follows(new)
        new["raw"] = squeeze_print(typed) or None
        new["near"] = near_of(text, typed, place)
        return _followed(new) if follows else new
    if field == "path":
        follows = _follows(new)
        new["path"] = typed or None
        if new["path"] is None or not is_repeatable(new["path"]):
            new["label"] = None
        return _followed(new) if follows else new
    if field == "value":
        return new | _typed_value(new["path"] or "proactive.total", typed)
    if field in ("near", "label", "scope"):
        return new | {field: typed or None}
    if field in ("bound", "status"):
        return new | {field: typed or {"bound": "exact", "status": "value"}[field]}
    raise ValueError(f"{field!r} is no field of a line")


def squeeze_print(typed: str) -> str:
    """A print on one line, as it is compared: prints break across lines, gold does not."""
    return re.sub(r"\s*[\r\n]+\s*", "", typed.strip())


def _typed_value(path: str, typed: str) -> dict[str, Any]:
    text = {"w": "无"}.get(typed, typed)
    if not text:
        return {"value": None, "status": "value"}
    try:
        read = read_typed(path, text)
    except TypedWrong:
        return {"value": _as_printed(text), "status": "value"}
    if read.status in ("blank", "not_applicable"):
        raise Wrong("annotate.wrong_value", typed)
    bound = {} if read.bound == "exact" else {"bound": read.bound}
    return {"value": read.value, "status": read.status, **bound}


def _follows(line: Mapping[str, Any]) -> bool:
    """Whether value and bound are what the print says, so that they change with it."""
    if line["raw"] is None or (line["value"] is None and line["status"] == "value"):
        return True
    followed = _followed(dict(line))
    return all(followed[key] == line[key] for key in ("value", "status", "bound"))


def _followed(line: dict[str, Any]) -> dict[str, Any]:
    typed = proposed(line["path"] or "proactive.total", line["raw"]) if line["raw"] else None
    if typed is None or isinstance(typed.value, str):
        return line | {"value": None, "status": "value", "bound": "exact"}
    return line | {"value": typed.value, "status": typed.status, "bound": typed.bound}


def near_of(text: SearchText, raw: str, place: int | None) -> str | None:
    """The characters before the print at `place` that tell it from its other places; None where it has none.

    At most eight: where these do not tell, they are given all the same and the check says so.
    """
    spans = text.find(raw)
    if len(spans) < 2:
        return None
    span = next((each for each in spans if place is not None and each.start >= place), spans[0])
    before = squeeze(text.text[max(0, span.start - 200) : span.start])
    for length in range(_SHORTEST, _LONGEST + 1):
        near = before[-length:]
        if near and text.find(raw, near) == [span]:
            return near
    return before[-_LONGEST:] or None


def place_of(text: SearchText, raw: str | None, near: str | None = None) -> Span | None:
    """Where a print stands; None where it does not, or nothing is given."""
    spans = text.find(raw, near) if raw else []
    return spans[0] if spans else None


# ---- text items ----


def item_with(item: Mapping[str, Any], field: str, typed: str, text: SearchText) -> dict[str, Any]:
    """The item after `field` was typed; its end follows from where it starts until it is typed itself."""
    new = DraftItem.model_validate(item).model_dump()
    if field not in new:
        raise ValueError(f"{field!r} is no field of a text item")
    print_ = squeeze_print(typed).strip(_END_PUNCTUATION)
    new[field] = print_ or None
    span = place_of(text, new["starts"])
    if field == "starts" and span is not None and not item.get("ends"):
        new["ends"] = ends_of(text, span.start, sentence_end(text.text, span.start))
    return new


def item_of(text: SearchText, start: int, end: int) -> dict[str, Any]:
    """The item that stands from `start` to `end`: without enumerator and end punctuation."""
    enumerator = ENUMERATOR.match(text.text, start, end)
    begins = enumerator.end() if enumerator else start
    return {"starts": starts_of(text, begins, end), "ends": ends_of(text, begins, end)}


def sentence_end(text: str, start: int) -> int:
    """Where the sentence from `start` ends; a page may break in its middle."""
    found = _SENTENCE_END.search(text, start, start + _FURTHEST)
    if found is not None:
        return found.start()
    line = text.find("\n", start)
    return len(text) if line < 0 else line


def starts_of(text: SearchText, start: int, end: int) -> str | None:
    """The first characters of what stands there that stand nowhere else: four to eight, more if need be."""
    whole = squeeze(text.text[start:end]).strip(_END_PUNCTUATION)
    return next(
        (whole[:length] for length in range(6, len(whole)) if len(text.find(whole[:length])) == 1),
        whole or None,
    )


def ends_of(text: SearchText, start: int, end: int) -> str | None:
    """The last characters of what stands there that stand nowhere else."""
    whole = squeeze(text.text[start:end]).strip(_END_PUNCTUATION)
    return next(
        (whole[-length:] for length in range(6, len(whole)) if len(text.find(whole[-length:])) == 1),
        whole or None,
    )
