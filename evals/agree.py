"""How far two annotators agree: on cells, on prose facts, on metadata, and where they do not.

Agreement on all cells flatters, as most cells are zeros: cells that at least one of the
two has as non-zero stand beside it, and Krippendorff's alpha, which takes off chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from evals.alpha import krippendorff_alpha
from evals.gold import GoldDocument, GoldFact, load_gold
from evals.gold_drafts import said_of_draft
from evals.metrics import share
from evals.stats import logit_t_interval
from evals.values import is_nonzero, normal_item, normal_name, same_value
from pipeline.errors import GoldError

KINDS = (
    "cells",
    "nonzero_cells",
    "prose",
    "prose_scope",
    "prose_bound",
    "meta",
    "text",
    "templates",
    "findings",
)


@dataclass(frozen=True, slots=True)
class Place:
    """One place as both see it; None where one has nothing there."""

    doc_id: str
    kind: str
    path: str
    a: GoldFact | None
    b: GoldFact | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One thing that both decided: the category each gave, and what to show of it."""

    doc_id: str
    kind: str
    path: str
    a: Hashable
    b: Hashable

    @property
    def agrees(self) -> bool:
        """Whether both gave the same."""
        return self.a == self.b


@dataclass(frozen=True, slots=True)
class KindAgreement:
    """Agreement on one kind of decision; None where there is none.

    `low`, `high`: 95 %, over documents as in scores, for decisions on one report are alike.
    `alpha` is not defined for listings, where only somebody's entry makes a decision.
    """

    decisions: int
    agreeing: int
    share: float | None
    low: float | None
    high: float | None
    alpha: float | None


@dataclass(frozen=True)
class Agreement:
    """Two gold folders compared: agreement by kind and every disagreement.

    `unfinished`: drafts that were left out, by their path, with what they lack and what to do.
    """

    documents: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    by_kind: dict[str, KindAgreement]
    disagreements: tuple[Rating, ...]
    unfinished: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def agree(dir_a: Path, dir_b: Path) -> Agreement:
    """Compare the documents that both folders annotate; drafts in which something is left are left out.

    Raises GoldError when they have none in common or annotated different files under one name.
    """
    drafts_a, drafts_b = unfinished_in(dir_a), unfinished_in(dir_b)
    a, b = _finished(dir_a, drafts_a), _finished(dir_b, drafts_b)
    pairs = pairs_of(a, b)
    drafts = {str(path): said for path, said in (drafts_a | drafts_b).items()}
    if not pairs:
        left_out = "".join(f"\nleft out: {path} {said}" for path, said in drafts.items())
        raise GoldError(f"{dir_a} and {dir_b} have no document in common{left_out}")
    names_a = {d.doc_id for d in a} | {path.stem for path in drafts_a}
    names_b = {d.doc_id for d in b} | {path.stem for path in drafts_b}
    only_a, only_b = tuple(sorted(names_a - names_b)), tuple(sorted(names_b - names_a))
    return replace(agreement_of(pairs, only_a, only_b), unfinished=drafts)


def unfinished_in(folder: Path) -> dict[Path, str]:
    """The drafts of a gold folder in which something is left to annotate, with what that is."""
    found = {path: said_of_draft(path) for path in sorted(folder.glob("*.yaml"))}
    return {path: said for path, said in found.items() if said is not None}


def _finished(folder: Path, drafts: Mapping[Path, str]) -> tuple[GoldDocument, ...]:
    if drafts and all(path in drafts for path in folder.glob("*.yaml")):
        return ()
    return load_gold(folder, without=drafts).documents


def agreement_of(
    pairs: Sequence[tuple[GoldDocument, GoldDocument]],
    only_a: tuple[str, ...] = (),
    only_b: tuple[str, ...] = (),
) -> Agreement:
    """Compare the two annotations of each document."""
    ratings = [rating for one, other in pairs for rating in _ratings(one, other)]
    return Agreement(
        documents=tuple(one.doc_id for one, _ in pairs),
        only_a=only_a,
        only_b=only_b,
        by_kind={kind: _summary([r for r in ratings if r.kind == kind]) for kind in KINDS},
        disagreements=tuple(r for r in ratings if not r.agrees and r.kind != "nonzero_cells"),
    )


def pairs_of(a: Sequence[GoldDocument], b: Sequence[GoldDocument]) -> list[tuple[GoldDocument, GoldDocument]]:
    """The documents that both annotate. Raises GoldError where one name stands for two files."""
    others = {document.doc_id: document for document in b}
    pairs = []
    for document in a:
        other = others.get(document.doc_id)
        if other is None:
            continue
        if other.file.sha256 != document.file.sha256:
            raise GoldError(f"{other.path}: sha256 differs from {document.path}: two different files")
        pairs.append((document, other))
    return pairs


def _summary(ratings: Sequence[Rating]) -> KindAgreement:
    agreeing = sum(rating.agrees for rating in ratings)
    # Items and findings are decisions only where somebody lists one: chance has no meaning there.
    is_listing = any(rating.kind in ("text", "findings") for rating in ratings)
    documents = sorted({rating.doc_id for rating in ratings})
    decided = Counter(rating.doc_id for rating in ratings)
    agreed = Counter(rating.doc_id for rating in ratings if rating.agrees)
    interval = logit_t_interval(
        np.array([agreed[name] for name in documents], dtype=np.float64),
        np.array([decided[name] for name in documents], dtype=np.float64),
    )
    return KindAgreement(
        decisions=len(ratings),
        agreeing=agreeing,
        share=share(agreeing, len(ratings)),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        alpha=None if is_listing else krippendorff_alpha([(rating.a, rating.b) for rating in ratings]),
    )


def _ratings(a: GoldDocument, b: GoldDocument) -> Iterator[Rating]:
    for place in places(a, b):
        one, other = category(place.a), category(place.b)
        yield Rating(place.doc_id, place.kind, place.path, one, other)
        if place.kind == "cells" and any(f and is_nonzero(f.value) for f in (place.a, place.b)):
            yield Rating(place.doc_id, "nonzero_cells", place.path, one, other)
        if place.kind == "prose" and place.a and place.b:
            yield Rating(place.doc_id, "prose_scope", place.path, str(place.a.scope), str(place.b.scope))
            yield Rating(place.doc_id, "prose_bound", place.path, place.a.bound, place.b.bound)
    templates_a, templates_b = a.file.templates.model_dump(), b.file.templates.model_dump()
    for key, form in templates_a.items():
        yield Rating(a.doc_id, "templates", key, str(form), str(templates_b[key]))
    for finding in sorted({*a.file.findings, *b.file.findings}):
        listed = (finding in a.file.findings, finding in b.file.findings)
        yield Rating(a.doc_id, "findings", finding, *("listed" if is_in else "none" for is_in in listed))


def category(fact: GoldFact | None) -> str:
    """What an annotator says of a place, as one category."""
    if fact is None:
        return "none"
    if fact.starts is not None:
        return "item"
    if fact.value is None:
        return fact.status
    value = exact(fact.value) if isinstance(fact.value, float) else normal_name(str(fact.value))
    label = "" if fact.label is None else f"{normal_name(fact.label)}: "
    return label + (value if fact.status == "value" else f"{value} ({fact.status})")


def exact(value: float) -> str:
    """Every digit of a figure: 7.0 is 7, 1234567.5 is not 1234570."""
    return format(Decimal(repr(value + 0.0)).normalize(), "f")


def places(a: GoldDocument, b: GoldDocument) -> Iterator[Place]:
    """Facts of both, paired: by place in tables and metadata, by likeness in prose and text."""
    by_path_a, by_path_b = a.by_place, dict(b.by_place)
    for (path, source), facts_a in by_path_a.items():
        facts_b = by_path_b.pop((path, source), [])
        for one, other in _pair(facts_a, facts_b):
            yield Place(a.doc_id, _kind(path, source), path, one, other)
    for (path, source), facts_b in by_path_b.items():
        for fact in facts_b:
            yield Place(a.doc_id, _kind(path, source), path, None, fact)


def _kind(path: str, source: str) -> str:
    if path.startswith("text."):
        return "text"
    return {"table": "cells", "narrative": "prose", "metadata": "meta"}[source]


def _pair(
    facts_a: Sequence[GoldFact], facts_b: Sequence[GoldFact]
) -> list[tuple[GoldFact | None, GoldFact | None]]:
    """Pairs that say the same first, then those of one label, then in order where no label tells."""
    open_b = list(facts_b)
    pairs: list[tuple[GoldFact | None, GoldFact | None]] = []
    open_a: list[GoldFact] = []
    for one in facts_a:
        match = next((other for other in open_b if _same(one, other)), None)
        if match is None:
            open_a.append(one)
        else:
            open_b.remove(match)
            pairs.append((one, match))
    for one in open_a:
        match = next((other for other in open_b if _same_subject(one, other)), None)
        if match is not None:
            open_b.remove(match)
        pairs.append((one, match))
    return pairs + [(None, other) for other in open_b]


def _same(one: GoldFact, other: GoldFact) -> bool:
    if one.starts is not None and other.starts is not None:
        return _same_item(one, other)
    same_label = normal_name(one.label or "") == normal_name(other.label or "")
    return same_label and one.status == other.status and same_value(one.path, one.value, other.value)


def _same_subject(one: GoldFact, other: GoldFact) -> bool:
    if one.starts is not None:
        return False
    if one.label is None or other.label is None:
        return True
    return normal_name(one.label) == normal_name(other.label) or (one.raw, one.near) == (
        other.raw,
        other.near,
    )


def _same_item(one: GoldFact, other: GoldFact) -> bool:
    """Whether two annotators mean one item: each may have written more or fewer characters of it."""
    starts = sorted((normal_item(one.starts or ""), normal_item(other.starts or "")), key=len)
    ends = sorted((normal_item(one.ends or ""), normal_item(other.ends or "")), key=len)
    return starts[1].startswith(starts[0]) and ends[1].endswith(ends[0])


_LABELS = {
    "cells": "table cells",
    "nonzero_cells": "non-zero cells",
    "prose": "prose facts",
    "prose_scope": "  scope of both's facts",
    "prose_bound": "  bound of both's facts",
    "meta": "metadata",
    "text": "text items",
    "templates": "templates",
    "findings": "broken identities",
}


def as_text(agreement: Agreement) -> str:
    """Agreement for a terminal."""
    lines = [f"{len(agreement.documents)} documents annotated twice", ""]
    lines.append(f"{'':26}{'decisions':>10}{'agree':>8}{'share':>8}  {'95 %':15}{'alpha':>10}")
    for kind, found in agreement.by_kind.items():
        interval = "" if found.low is None or found.high is None else f"{found.low:.3f}-{found.high:.3f}"
        lines.append(
            f"{_LABELS[kind]:26}{found.decisions:>10}{found.agreeing:>8}{_number(found.share):>8}  "
            f"{interval:15}{_number(found.alpha, 'undefined'):>10}"
        )
    for name, only in (("A", agreement.only_a), ("B", agreement.only_b)):
        if only:
            lines.append(f"only in {name}: {', '.join(only)}")
    lines += [f"left out: {path} {said}" for path, said in agreement.unfinished.items()]
    lines += ["", f"{len(agreement.disagreements)} disagreements (document, path: A | B)"]
    lines += [f"{r.doc_id}  {r.kind} {r.path}: {r.a} | {r.b}" for r in agreement.disagreements]
    return "\n".join(lines)


def _number(value: float | None, otherwise: str = "no data") -> str:
    return otherwise if value is None else f"{value:.3f}"
