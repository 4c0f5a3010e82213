"""Gold files as text: the layout of the contract, one line a row of a table or a figure of the prose.

What was read comes back as it was: `read_gold_file` of `gold_text(content_of(gold))` is `gold`.
A place that nobody has annotated yet is written `~`, which no finished file may hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from evals.gold_file import GoldFile, GoldMeta
from pipeline.schema import APPLICANTS, OUTCOMES

# The keys of a gold file with the values that YAML gives, finished or not.
Content = dict[str, Any]


class Mark(Enum):
    """Stands where no value can."""

    NOT_ANNOTATED = "~"


NOT_ANNOTATED: Final = Mark.NOT_ANNOTATED
_LINE_KEYS = ("path", "label", "value", "raw", "near", "status", "bound", "scope")
_UNSAID = {"status": "value", "bound": "exact", "label": None, "near": None}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BREAK = re.compile(r"[\n\r\x85\u2028\u2029]")
# Lines that a block of YAML gives back to the letter: no white space at their ends, none before the
# first, and no sign that YAML takes for a line break or does not allow.
_SAFE = r"[^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
_LINE = rf"{_SAFE}(?:(?:{_SAFE}|[ \u3000])*{_SAFE})?"
_BLOCK = re.compile(rf"{_LINE}(?:\n+ *{_LINE})*\n*")


def content_of(gold: GoldFile) -> Content:
    """What `gold` holds as a mapping; metadata that were not annotated are left out."""
    content = gold.model_dump()
    content["meta"] = gold.meta.model_dump(exclude_unset=True)
    return content


def gold_text(content: Mapping[str, Any]) -> str:
    """The YAML of a gold file.

    In tables, and for `path`, `raw`, `starts` and `ends`, None is what nobody has annotated
    yet; in `meta` and `templates` it is null, "not printed", and NOT_ANNOTATED says the former.
    """
    return "\n".join(_lines(content)) + "\n"


def write_atomically(path: Path, text: str) -> None:
    """Put `text` in the place of the file; whoever reads it sees the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in `folder` outlast a loss of power, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def scalar(value: object) -> str:
    """A YAML scalar on one line, quoted where it needs to be; digits that are text stay text."""
    if value is NOT_ANNOTATED:
        return "~"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _text(value)
    return "null" if value is None else str(value).lower()


def _float(value: float) -> str:
    digits = format(Decimal(repr(value)), "f")
    return digits if "." in digits else f"{digits}.0"


def _notes(text: str) -> str:
    """Several lines as they stand, indented; on one line and quoted what would not come back so."""
    if "\n" not in text or _BLOCK.fullmatch(text) is None:
        return scalar(text)
    body = text.rstrip("\n")
    chomping = ("-", "", "+")[min(len(text) - len(body), 2)]
    lines = (text[:-1] if text.endswith("\n") else text).split("\n")
    return "\n".join([f"|{chomping}", *(f"  {line}" if line else "" for line in lines)])


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    if _DATE.fullmatch(value):
        return value
    if not value or value.isdigit():
        return f'"{value}"'
    if _BREAK.search(value):
        return _dumped(value, '"')
    plain = _dumped(value, None)
    if plain == value and any(sign in value for sign in ",[]{}#:?"):
        return "'" + value.replace("'", "''") + "'"
    return plain


def _dumped(value: str, style: str | None) -> str:
    dumped: str = yaml.safe_dump(value, allow_unicode=True, width=10_000_000, default_style=style)
    return dumped.removesuffix("\n").removesuffix("\n...")


def _cell(entry: object) -> str:
    return "~" if entry is None else '"?"' if entry == "?" else scalar(entry)


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"doc_id: {scalar(content['doc_id'])}"
    yield f"file: {scalar(content['file'])}"
    yield f"sha256: {scalar(content['sha256'])}"
    yield f"status: {content['status']}"
    yield f"annotators: {_list(content['annotators'])}"
    if content.get("prefilled"):
        yield "prefilled: true"
    yield f"templates: {_flow(content['templates'])}"
    meta = content["meta"]
    yield f"meta: {_flow({key: meta[key] for key in GoldMeta.model_fields if key in meta})}"
    yield from _tables(content)
    yield from _narrative(content.get("narrative") or ())
    yield "text:"
    text = content.get("text") or {}
    yield from _items("problems", text.get("problems") or ())
    yield from _items("improvements", text.get("improvements") or ())
    yield f"findings: {_list(content.get('findings') or ())}"
    if content.get("notes") is not None:
        yield f"notes: {_notes(content['notes'])}"


def _tables(content: Mapping[str, Any]) -> Iterator[str]:
    if content.get("proactive"):
        yield "proactive:"
        for item, columns in content["proactive"].items():
            cells = ", ".join(f"{column}: {_cell(entry)}" for column, entry in columns.items())
            yield f"  {item}: {{{cells}}}"
    for group, names in (("requests", APPLICANTS), ("remedies", OUTCOMES)):
        if content.get(group):
            yield f"{group}:  # {', '.join(names)}"
            for row, entries in content[group].items():
                yield f"  {row}: [{', '.join(_cell(entry) for entry in entries)}]"
    if content.get("statistics"):
        yield "statistics:"
        yield from (f"  {key}: {_cell(entry)}" for key, entry in content["statistics"].items())


def _narrative(stated: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "narrative:" if stated else "narrative: []"
    for line in stated:
        given = {key: line.get(key) or _UNSAID.get(key) for key in _LINE_KEYS} | {"value": line.get("value")}
        left = ["path", "raw"] if given["status"] == "illegible" else ["path", "raw", "value"]
        given |= {key: NOT_ANNOTATED for key in left if given[key] is None}
        # A line without scope says so: null is an annotation, not an omission.
        said = [key for key in _LINE_KEYS if key not in _UNSAID or given[key] != _UNSAID[key]]
        yield f"  - {_flow({key: given[key] for key in said})}"


def _items(key: str, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"  {key}:" if items else f"  {key}: []"
    for item in items:
        ends = {end: NOT_ANNOTATED if item.get(end) is None else item[end] for end in ("starts", "ends")}
        yield f"    - {_flow(ends)}"


def _flow(mapping: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in mapping.items()) + "}"


def _list(values: Sequence[object]) -> str:
    return "[" + ", ".join(scalar(value) for value in values) + "]"
