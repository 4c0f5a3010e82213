"""What an adjudicator types in place of both annotators' values → the form of the gold file.

Everything raises ValueError with what stands there and what is allowed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from evals.gold_file import MARKS, GoldItem, GoldMeta, GoldStatement
from evals.occurrences import SearchText
from evals.review.adjudication.disagreements import LISTED, NOT_LISTED, Disagreement
from evals.values import kind_of
from pipeline.fact import Bound, Scope, Template

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_NOT_PRINTED = ("", "null", "~")


def typed(asked: Disagreement, given: Any, text: SearchText | None) -> Any:
    """The value that was typed for `asked`. Prints have to be in `text` where that is at hand."""
    match asked.kind:
        case "templates":
            return _one_of(given, get_args(Template))
        case "cells":
            return entry(_text(given), asked.path)
        case "rows":
            return _row(asked, _text(given))
        case "meta":
            return _metadata(asked.path, _text(given))
        case "prose":
            return _line(given, text)
        case "prose_scope":
            return _one_of(given, get_args(Scope))
        case "prose_bound":
            return _required(given, get_args(Bound))
        case "prose_place":
            return _print(given, text)
        case "text":
            return _item(given, text)
        case "findings":
            return _required(given, (LISTED, NOT_LISTED))


def entry(text: str, path: str) -> int | float | str:
    """A cell: a figure or a mark."""
    said = unicodedata.normalize("NFKC", text).strip()
    if said in MARKS:
        return said
    if _THOUSANDS.fullmatch(said):
        said = said.replace(",", "")
    if not _NUMBER.fullmatch(said):
        raise ValueError(f"{path}: {text!r}; allowed are a figure or one of {' '.join(MARKS)}")
    return float(said) if "." in said else int(said)


def _row(asked: Disagreement, text: str) -> Any:
    """Cells parted by white space, in the order of the columns."""
    entries = [entry(each, asked.path) for each in text.split()]
    if len(entries) != len(asked.columns):
        needed = f"needed are {len(asked.columns)}, parted by spaces: {', '.join(asked.columns)}"
        raise ValueError(f"{asked.path}: {len(entries)} cells; {needed}")
    return dict(zip(asked.columns, entries, strict=True)) if asked.path.startswith("proactive.") else entries


def _metadata(path: str, text: str) -> Any:
    key = path.removeprefix("meta.")
    said = text.strip()
    if said in _NOT_PRINTED:
        return None
    is_year = kind_of(path) == "year" or key == "year"
    try:
        value: Any = int(said) if is_year and said.isdecimal() else said
        return getattr(GoldMeta.model_validate({key: value}), key)
    except ValidationError as error:
        raise ValueError(f"{path}: {_fault(error)}") from None


def _line(given: Any, text: SearchText | None) -> dict[str, Any]:
    content = {key: value for key, value in _mapping(given).items() if value not in ("", None)}
    path = str(content.get("path", ""))
    content.setdefault("status", "value")
    if content["status"] == "illegible":
        content["value"] = None
    elif content["status"] == "zero_in_words":
        content["value"] = 0
    else:
        said = entry(str(content.get("value", "")), path)
        if isinstance(said, str):
            raise ValueError(f"value: {said!r}; allowed is a figure; for others choose the status")
        content["value"] = said
    line = _validated(GoldStatement, content)
    _need_print(line["raw"], line["near"], text)
    keys = ("path", "value", "raw", "near", "status", "bound", "scope", "label")
    return {key: line[key] for key in keys}


def _print(given: Any, text: SearchText | None) -> dict[str, Any]:
    content = _mapping(given)
    raw, near = str(content.get("raw") or "").strip(), str(content.get("near") or "").strip() or None
    if not raw:
        raise ValueError("raw: is empty; needed is the figure as printed")
    _need_print(raw, near, text)
    return {"raw": raw, "near": near}


def _item(given: Any, text: SearchText | None) -> dict[str, Any]:
    content = _mapping(given)
    item = _validated(GoldItem, {key: str(content.get(key) or "").strip() for key in ("starts", "ends")})
    for part in ("starts", "ends"):
        _need_print(item[part], None, text)
    return item


def _need_print(raw: str, near: str | None, text: SearchText | None) -> None:
    if text is None:
        return
    if not text.find(raw):
        raise ValueError(f"{raw!r} is not in the document")
    if near is not None and not text.find(raw, near):
        raise ValueError(f"{raw!r} does not stand right after {near!r}")


def _validated(form: type[BaseModel], content: dict[str, Any]) -> dict[str, Any]:
    try:
        return form.model_validate(content).model_dump()
    except ValidationError as error:
        raise ValueError(_fault(error)) from None


def _fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"] if "[" not in str(part))
    said = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _one_of(given: Any, allowed: tuple[str, ...]) -> str | None:
    """One of `allowed`, or null."""
    return None if given in (None, *_NOT_PRINTED) else _required(given, allowed)


def _required(given: Any, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise ValueError(f"{given!r}; allowed are {', '.join(allowed)}")
    return str(given)


def _text(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"{given!r}; needed is text")
    return str(given)


def _mapping(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{given!r}; needed are named fields")
    return {str(key): value.strip() if isinstance(value, str) else value for key, value in given.items()}
