"""Two annotations of one document and the decisions about them → the merged gold file.

Where both say the same it is taken over. The rest is asked in this order: templates, which say what
rows there are; tables; metadata; prose; text items; and last the identities that break, which are
computed anew from the figures decided on. What is not decided yet is `~` in a cell and left out
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from evals.agree import places
from evals.gold import GoldDocument
from evals.gold_check import CHECKED_RULES, Identities, table_identities
from evals.gold_file import GoldFile, GoldMeta
from evals.gold_write import Content
from evals.review.adjudication.disagreements import LISTED, NOT_LISTED, Decision, Disagreement, Hint, Said
from evals.review.adjudication.merging_prose import MergingProse
from evals.review.adjudication.merging_tables import TABLES, MergingTables
from evals.review.adjudication.notes import notes_of
from evals.review.adjudication.places_said import PlacesSaid
from evals.review.adjudication.settling import Settling
from evals.values import same_value
from pipeline.fact import Templates

_FORMS = ("document", *TABLES)
_NO_IDENTITIES = Identities(frozenset(), frozenset())


@dataclass(frozen=True)
class Merged:
    """The gold file so far and everything that the two differ in, with the decisions in force.

    `waiting`: what can be asked only after something else is decided, e.g. the rows of a table
    on whose form the two differ.
    """

    content: Content
    disagreements: tuple[Disagreement, ...]
    decisions: Mapping[str, Decision]
    waiting: tuple[str, ...]

    @cached_property
    def open(self) -> tuple[Disagreement, ...]:
        """Those without a decision that gives a reason."""
        return tuple(asked for asked in self.disagreements if not self.is_settled(asked))

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to decide."""
        return not self.open and not self.waiting

    def decision(self, asked: Disagreement) -> Decision | None:
        """The decision about it, pending or not; None where there is none or the values have changed."""
        found = self.decisions.get(asked.key)
        return found if found is not None and found.answers(asked) else None

    def is_settled(self, asked: Disagreement) -> bool:
        """Whether it is decided, with a reason."""
        found = self.decision(asked)
        return found is not None and not found.is_pending


def merge(a: GoldDocument, b: GoldDocument, decisions: Mapping[str, Decision], said: PlacesSaid) -> Merged:
    """Merge two annotations of one document as far as it is decided."""
    settling = Settling(decisions)
    content = _head(a.file, b.file)
    content["templates"] = _templates(a.file, b.file, settling)
    tables = MergingTables(a, b, said, settling)
    for group in TABLES:
        content[group] = tables.table(group, content["templates"][group])
    content["statistics"] = tables.statistics()
    content["meta"] = _metadata(a.file, b.file, said, settling)
    found, prose = list(places(a, b)), MergingProse(a, b, said, settling)
    content["narrative"] = prose.narrative(found)
    content["text"] = {key: prose.items(f"text.{key}", found) for key in ("problems", "improvements")}
    content["findings"] = _findings(a.file, b.file, content, settling)
    merged = Merged(content, tuple(settling.asked), decisions, tuple(settling.waiting))
    decided = [
        (asked, merged.decisions[asked.key]) for asked in merged.disagreements if merged.is_settled(asked)
    ]
    content["notes"] = notes_of(a.file, b.file, decided)
    return merged


def _head(a: GoldFile, b: GoldFile) -> Content:
    return {
        "doc_id": a.doc_id,
        "file": a.file,
        "sha256": a.sha256,
        "status": "draft",
        "annotators": [*dict.fromkeys([*a.annotators, *b.annotators])],
        "prefilled": a.prefilled or b.prefilled,
    }


def _templates(a: GoldFile, b: GoldFile, settling: Settling) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for key in _FORMS:
        one, other = getattr(a.templates, key), getattr(b.templates, key)
        chosen[key] = one
        if one == other:
            continue
        path = f"templates.{key}"
        kept = settling.settle(Disagreement(path, "templates", path, Said(one), Said(other), path))
        chosen[key] = None if kept is None else kept[0]
        if kept is None and key != "document":
            settling.waiting.append(key)
    return chosen


def _metadata(a: GoldFile, b: GoldFile, said: PlacesSaid, settling: Settling) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in GoldMeta.model_fields:
        path = f"meta.{key}"
        one, other = (_said_of_meta(file.meta, key, said) for file in (a, b))
        if one is None and other is None:
            continue
        if one is not None and other is not None and same_value(path, one.value, other.value):
            merged[key] = one.value
            continue
        kept = settling.settle(Disagreement(path, "meta", path, one, other, path))
        if kept is not None:
            merged[key] = kept[0]
    return merged


def _said_of_meta(meta: GoldMeta, key: str, said: PlacesSaid) -> Said | None:
    if key not in meta.model_fields_set:
        return None
    value = getattr(meta, key)
    return Said(value, said.metadata(f"meta.{key}", value))


def _findings(a: GoldFile, b: GoldFile, content: Content, settling: Settling) -> list[str]:
    """The findings to list. Identities of tables are asked about once all figures of tables are decided."""
    is_early = settling.has_open_tables
    identities = _NO_IDENTITIES if is_early else _identities(content)
    every = dict.fromkeys([*a.findings, *b.findings, *sorted(identities.broken)])
    merged: list[str] = []
    for finding in every:
        sides = [LISTED if finding in file.findings else NOT_LISTED for file in (a, b)]
        hint = _hint(finding, identities)
        agreed = sides[0] == sides[1]
        if hint and is_early:
            if agreed:
                merged.append(finding)
            else:
                settling.waiting.append(f"findings/{finding}")
            continue
        kept: tuple[Any, ...] | None = (sides[0],)
        if not agreed or (sides[0] == LISTED) != (hint in ("", "broken")):
            key = f"findings/{finding}"
            kept = settling.settle(
                Disagreement(key, "findings", finding, Said(sides[0]), Said(sides[1]), key, hint)
            )
        if kept == (LISTED,):
            merged.append(finding)
    return merged


def _hint(finding: str, identities: Identities) -> Hint:
    """What the figures say of it; nothing of findings that are not computed from tables."""
    if finding.partition("@")[0] not in CHECKED_RULES:
        return ""
    if finding in identities.broken:
        return "broken"
    return "holds" if finding in identities.holding else "unknown"


def _identities(content: Content) -> Identities:
    parts = {key: content[key] for key in (*TABLES, "statistics", "doc_id", "file", "sha256", "status")}
    try:
        gold = GoldFile.model_validate(
            parts | {"templates": Templates(**content["templates"]), "meta": GoldMeta(), "annotators": []}
        )
    except ValidationError:
        return _NO_IDENTITIES
    return table_identities(gold)
