"""The disagreements of a document as the page shows them: both values, their places, what can be chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from evals.gold_file import GoldMeta
from evals.review.adjudication.disagreements import (
    LISTED,
    NOT_LISTED,
    Choice,
    Decision,
    Disagreement,
    Said,
    name_of,
)
from evals.review.adjudication.notes import shown
from evals.review.adjudication.session import DocumentAdjudication
from evals.review.source.view import Mark
from pipeline.document import Span
from pipeline.fact import Bound, Scope, Template
from pipeline.schema import fields

CHOICE_KEYS: dict[Choice, str] = {"a": "1", "b": "2", "other": "3", "both": "4", "neither": "0"}
_CONTEXT = 18
_ITEM_CONTEXT = 40
_LINE_FIELDS = ("path", "label", "value", "status", "bound", "scope", "raw", "near")
_MARKS = {
    "_": "adjudicate.gloss_blank",
    "/": "adjudicate.gloss_not_applicable",
    "?": "adjudicate.gloss_illegible",
    "无": "adjudicate.gloss_zero_in_words",
}
_CODED = ("templates", "prose_scope", "prose_bound", "prose_status", "findings")
_STATUSES = ("value", "zero_in_words", "illegible")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A print with what stands around it."""

    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line or row; `differs` where the other annotator has another.

    `word` is the key of the part's name, empty where `name` is a label as printed.
    """

    name: str
    word: str
    value: str
    gloss: str
    differs: bool


@dataclass(frozen=True, slots=True)
class SideView:
    """What one annotator has. `value` of a single value, `parts` of a line, row or item.

    `gloss` is the key of the word that says what a mark or code means, empty for other values.
    """

    is_there: bool
    value: str
    gloss: str
    parts: tuple[Part, ...]
    snippet: Snippet | None
    places: tuple[Span, ...]

    @property
    def spans(self) -> str:
        """The places as an attribute holds them."""
        return " ".join(f"{place.start}-{place.end}" for place in self.places)


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of what is typed instead; `options` where it is one of a few."""

    name: str
    value: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One disagreement on the page. `base` is what a decision has to name as seen.

    Those of one `group` can be decided at one stroke; `alike` others of it are open.
    """

    id: str
    asked: Disagreement
    base: int
    label: str
    meaning: str
    printed: str
    a: SideView
    b: SideView
    fields: tuple[FieldView, ...]
    group: str
    alike: int
    decision: Decision | None
    result: str
    state: Literal["open", "pending", "decided"]

    @property
    def choices(self) -> tuple[tuple[Choice, str], ...]:
        """What can be chosen with its key."""
        return tuple((choice, CHOICE_KEYS[choice]) for choice in CHOICE_KEYS if choice in self.asked.choices)


def cards(document: DocumentAdjudication) -> tuple[Card, ...]:
    """Everything that is asked about a document, decided or not, in the order in which it is asked."""
    asked = document.merged.disagreements
    is_open = Counter(_group(each) for each in asked if not document.merged.is_settled(each))
    return tuple(_card(document, number, each, is_open) for number, each in enumerate(asked, start=1))


def _group(asked: Disagreement) -> str:
    """What disagreements that one decision can answer have in common."""
    return name_of(asked.kind, asked.group, asked.choices)


def marks(document: DocumentAdjudication) -> list[Mark]:
    """Both annotators' places in the text. A key tells the disagreement, the side and the place."""
    found = []
    for number, asked in enumerate(document.merged.disagreements, start=1):
        for side, said in (("a", asked.a), ("b", asked.b)):
            for place in () if said is None else said.places:
                key = f"{number}~{side}~{place.start}~{place.end}"
                found.append(Mark(key, place.start, place.end, f"said-{side}"))
    return found


def _card(document: DocumentAdjudication, number: int, asked: Disagreement, is_open: Counter[str]) -> Card:
    decision = document.merged.decision(asked)
    state: Literal["open", "pending", "decided"] = "open"
    if decision is not None:
        state = "pending" if decision.is_pending else "decided"
        # The hash of the file that it led to is nothing to show: cards that look alike are alike.
        decision = decision.model_copy(update={"wrote": ""})
    label, meaning = _names(asked)
    return Card(
        id=f"asked-{number}",
        asked=asked,
        base=document.log.base(asked.key),
        label=label,
        meaning=meaning,
        printed=_printed(document, asked),
        a=_side(document, asked, asked.a, asked.b),
        b=_side(document, asked, asked.b, asked.a),
        fields=tuple(_fields(asked, decision)),
        group=_group(asked),
        alike=is_open[_group(asked)] - (not document.merged.is_settled(asked)),
        decision=decision,
        result=_result(asked, decision),
        state=state,
    )


def _names(asked: Disagreement) -> tuple[str, str]:
    """The Chinese label of the field and its English meaning."""
    spec = fields().get(asked.path)
    if spec is not None:
        return spec.label, spec.meaning
    inside = [each for path, each in fields().items() if path.startswith(f"{asked.path}.")]
    if asked.kind == "rows" and inside:
        return inside[0].label.rpartition(" / ")[0], asked.path
    return asked.path, ""


def _printed(document: DocumentAdjudication, asked: Disagreement) -> str:
    """The print of the line whose scope, bound or place is asked about."""
    return "" if asked.subject is None else str(asked.subject["raw"])


def _side(
    document: DocumentAdjudication, asked: Disagreement, said: Said | None, other: Said | None
) -> SideView:
    if said is None:
        return SideView(False, "", "", (), None, ())
    against = None if other is None else other.value
    parts = tuple(_parts(asked, said.value, against))
    value = "" if parts else shown(said.value)
    gloss = "" if parts else gloss_of(asked.kind, said.value)
    return SideView(True, value, gloss, parts, _snippet(document, asked, said.places), said.places)


def _parts(asked: Disagreement, value: Any, against: Any) -> Iterator[Part]:
    if asked.kind == "rows" and isinstance(value, list):
        value = dict(zip(asked.columns, value, strict=True))
        against = dict(zip(asked.columns, against, strict=True)) if isinstance(against, list) else None
    if not isinstance(value, dict):
        return
    order = [name for name in _LINE_FIELDS if name in value] or list(value)
    for name in [*order, *(name for name in value if name not in order)]:
        there = against is not None and name in against
        differs = there and against[name] != value[name]
        if value[name] is None and not differs:
            continue
        said = shown(value[name])
        if name in asked.columns:
            yield Part(columns_of(asked)[asked.columns.index(name)], "", said, _MARKS.get(said, ""), differs)
        else:
            yield Part(name, f"adjudicate.part_{name}", said, gloss_of(f"prose_{name}", value[name]), differs)


def _snippet(document: DocumentAdjudication, asked: Disagreement, places: Sequence[Span]) -> Snippet | None:
    """The first place with what stands around it; a long one shows its beginning and its end."""
    found = document.said.text
    if found is None or not places or asked.kind == "rows":
        return None
    text, place = found.text, places[0]
    line_start = text.rfind("\n", 0, place.start) + 1
    line_end = text.find("\n", place.end)
    line_end = len(text) if line_end < 0 else line_end
    inner = " ".join(text[place.start : place.end].split())
    if len(inner) > 2 * _ITEM_CONTEXT:
        inner = f"{inner[:_ITEM_CONTEXT]} … {inner[-_ITEM_CONTEXT:]}"
    before = text[max(line_start, place.start - _CONTEXT) : place.start]
    return Snippet(before, inner, text[place.end : min(line_end, place.end + _CONTEXT)])


def _fields(asked: Disagreement, decision: Decision | None) -> Iterator[FieldView]:
    """What can be typed, filled with what was typed before, else with A's value, else with B's."""
    side = asked.a if asked.a is not None else asked.b
    before: Any = None if side is None else side.value
    if decision is not None and decision.choice == "other":
        before = decision.value
    match asked.kind:
        case "templates":
            yield FieldView("value", shown(before), (*get_args(Template), "null"))
        case "prose_scope":
            yield FieldView("value", shown(before), (*get_args(Scope), "null"))
        case "prose_bound":
            yield FieldView("value", str(before), get_args(Bound))
        case "cells":
            yield FieldView("value", "" if before is None else str(before))
        case "meta":
            yield FieldView("value", shown(before), _options_of_meta(asked.path))
        case "rows":
            values = before.values() if isinstance(before, dict) else before or ()
            yield FieldView("value", " ".join(str(each) for each in values))
        case "prose":
            yield from _line_fields(before)
        case "prose_place" | "text":
            yield from (FieldView(name, "" if each is None else str(each)) for name, each in before.items())
        case "findings":
            return


def _line_fields(line: dict[str, Any]) -> Iterator[FieldView]:
    options = {
        "status": _STATUSES,
        "bound": get_args(Bound),
        "scope": ("null", *get_args(Scope)),
    }
    for name in _LINE_FIELDS:
        value = line.get(name)
        text = ("null" if name == "scope" else "") if value is None else str(value)
        yield FieldView(name, text, options.get(name, ()))


def _options_of_meta(path: str) -> tuple[str, ...]:
    annotation = GoldMeta.model_fields[path.removeprefix("meta.")].annotation
    found = tuple(str(value) for option in get_args(annotation) for value in get_args(option))
    return (*found, "null") if len(found) > 1 and path in ("meta.issuer_type", "meta.level") else ()


def gloss_of(kind: str, value: Any) -> str:
    """The key of the word for a mark in a cell or a code of the gold file; none for other values."""
    if kind == "cells":
        return _MARKS.get(str(value), "")
    if kind == "meta":
        return "adjudicate.gloss_not_printed" if value is None else ""
    if kind not in _CODED:
        return ""
    if value is None:
        return "adjudicate.gloss_no_table" if kind == "templates" else "adjudicate.gloss_unsaid"
    return f"adjudicate.gloss_{value}"


def number_paths() -> list[tuple[str, str]]:
    """The paths that a line of the prose can have, with their labels."""
    return [(path, spec.label) for path, spec in fields().items() if not path.startswith(("meta.", "text."))]


def _result(asked: Disagreement, decision: Decision | None) -> str:
    """What goes into the gold file."""
    if decision is None or decision.choice is None:
        return ""
    return " + ".join(shown(value) for value in asked.kept(decision.choice, decision.value))


def opposite(asked: Disagreement) -> str:
    """The other of listed and not listed, where both annotators have the same."""
    return NOT_LISTED if asked.a is not None and asked.a.value == LISTED else LISTED


def columns_of(asked: Disagreement) -> tuple[str, ...]:
    """The labels of a row's columns, in their order."""
    labels = []
    for column in asked.columns:
        spec = fields().get(f"{asked.path}.{column}")
        labels.append(column if spec is None else spec.label.rpartition(" / ")[2])
    return tuple(labels)
