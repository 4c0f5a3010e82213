"""The notes of a merged gold file: those of both annotators, then every decision with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.gold_file import GoldFile
from evals.review.adjudication.disagreements import Decision, Disagreement, Said


def notes_of(a: GoldFile, b: GoldFile, decided: list[tuple[Disagreement, Decision]]) -> str:
    """The notes of both, then every decision: `key: a … | b … → …: reason`."""
    return "\n".join([*_notes_of_both(a, b), *(_noted(asked, found) for asked, found in decided)])


def _notes_of_both(a: GoldFile, b: GoldFile) -> Iterator[str]:
    notes = [(file.notes or "").strip() for file in (a, b)]
    if notes[0] == notes[1]:
        yield from notes[:1] if notes[0] else []
        return
    for side, file, note in zip("ab", (a, b), notes, strict=True):
        if note:
            yield f"{', '.join(file.annotators) or side}: {note}"


def _noted(asked: Disagreement, found: Decision) -> str:
    kept = asked.kept(found.choice or "a", found.value)
    result = " + ".join(shown(value) for value in kept) if kept else "left out"
    return f"{_name(asked)}: a {_side(asked.a)} | b {_side(asked.b)} → {result}: {found.reason.strip()}"


def _name(asked: Disagreement) -> str:
    """What was asked about, for a reader who has the file alone: lines and items by their print."""
    said = asked.a or asked.b
    line = asked.subject or (said.value if said is not None and isinstance(said.value, dict) else {})
    if asked.kind == "text":
        return f"{asked.path} {line.get('starts')}"
    if not asked.kind.startswith("prose"):
        return asked.key
    return " ".join(["narrative", asked.path, str(line.get("raw")), *asked.kind.split("_")[1:]])


def _side(said: Said | None) -> str:
    return "nothing" if said is None else shown(said.value)


def shown(value: Any) -> str:
    """A value as notes and pages name it, on one line."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        said = (
            (key, each) for key, each in value.items() if each is not None and each not in ("value", "exact")
        )
        return "{" + ", ".join(f"{key}: {each}" for key, each in said) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    return str(value)
