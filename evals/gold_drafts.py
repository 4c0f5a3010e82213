"""What is left to annotate in a gold file that is not finished: said where a finished one is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from evals.gold_file import GoldLoader, GoldMeta
from pipeline.errors import GoldError
from pipeline.schema import APPLICANTS, OUTCOMES

_DRAFT = re.compile(r"^status:\s*[\"']?draft", re.MULTILINE)
REMEDY = (
    "finish it with `gongkai review RUN --annotate {folder}`, or fill in every ~ and write status: annotated"
)


def left_in(path: Path) -> str | None:
    """What a draft lacks, in words: "12 cells not annotated yet, the first cell …". "" where nothing is left.

    None where the file is no draft, or cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # Most files are finished: they are not parsed twice.
        content = yaml.load(text, Loader=GoldLoader) if _DRAFT.search(text) else None
    except (GoldError, yaml.YAMLError, UnicodeDecodeError):
        return None
    if not isinstance(content, dict) or content.get("status") != "draft":
        return None
    try:
        left = ", ".join(_left(content))
        first = next(_open_cells(content), None)
        named = "" if first is None else f", the first cell {first}"
        return f"{left} not annotated yet{named}" if left else ""
    except (AttributeError, TypeError):
        return None


def said_of_draft(path: Path) -> str | None:
    """That a file is a draft, what it lacks and what to do; None where it is none that lacks something."""
    left = left_in(path)
    if not left:
        return None
    return f"is a draft: {left}; {REMEDY.format(folder=path.parent)}"


def _left(content: dict[str, Any]) -> Iterator[str]:
    if (content.get("templates") or {}).get("document") is None:
        yield "templates.document"
    missing = [key for key in GoldMeta.model_fields if key not in (content.get("meta") or {})]
    if missing:
        yield f"meta.{', '.join(missing)}"
    yield from _counted(sum(1 for _ in _open_cells(content)), "cell")
    lines = content.get("narrative") or []
    yield from _counted(sum(_is_open(line) for line in lines), "line of the prose", "lines of the prose")
    text = content.get("text") or {}
    items = [*(text.get("problems") or []), *(text.get("improvements") or [])]
    yield from _counted(sum(None in item.values() for item in items), "text item")


def _counted(count: int, one: str, many: str = "") -> Iterator[str]:
    if count:
        yield f"{count} {one if count == 1 else many or f'{one}s'}"


def _open_cells(content: dict[str, Any]) -> Iterator[str]:
    """The paths of cells that hold `~`."""
    for group in ("proactive", "requests", "remedies", "statistics"):
        yield from _open_below(group, content.get(group) or {})


def _open_below(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _open_below(f"{path}.{key}", below)
    elif isinstance(value, list):
        columns = OUTCOMES if path.startswith("remedies.") else APPLICANTS
        for column, cell in zip(columns, value, strict=False):
            yield from _open_below(f"{path}.{column}", cell)
    elif value is None:
        yield path


def _is_open(line: dict[str, Any]) -> bool:
    needed = ("path", "raw") if line.get("status") == "illegible" else ("path", "raw", "value")
    return any(line.get(key) is None for key in needed)
