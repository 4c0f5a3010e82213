"""Gold as facts: a folder of gold files, each expanded to one fact a place that can be scored.

load_gold(folder) → Gold(documents, hash) → document.facts
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evals.gold_drafts import said_of_draft
from evals.gold_file import CellEntry, GoldFile, GoldItem, GoldMeta, read_gold_file
from evals.values import is_figure, is_nonzero, is_repeatable
from pipeline.errors import GoldError
from pipeline.fact import Bound, Scope, Source
from pipeline.schema import APPLICANTS, OUTCOMES

SOURCES: tuple[Source, ...] = ("table", "narrative", "metadata")
GoldStatus = Literal["value", "zero_in_words", "blank", "not_applicable", "illegible", "absent"]

_MARKS: dict[str, tuple[int | None, GoldStatus]] = {
    "_": (None, "blank"),
    "/": (None, "not_applicable"),
    "?": (None, "illegible"),
    "无": (0, "zero_in_words"),
}
_STATED = ("value", "zero_in_words", "not_applicable")
_NOTHING_THERE = ("blank", "absent")
# Who annotated, how far, and why does not change what is scored: comments may be
# edited without making old scores incomparable.
_OUTSIDE_THE_HASH = {"status", "annotators", "notes", "prefilled"}


@dataclass(frozen=True, slots=True)
class GoldFact:
    """What a document says at one place, by hand.

    `absent`: the annotator looked and the document does not print it (metadata null).
    `illegible`: lost in the file; whatever a program says there is not scored.
    `row` and `column` name the table cell; `starts` and `ends` the text item.
    """

    path: str
    value: int | float | str | None
    status: GoldStatus
    source: Source
    template: str
    bound: Bound = "exact"
    scope: Scope | None = None
    raw: str | None = None
    near: str | None = None
    label: str | None = None
    row: str | None = None
    column: str | None = None
    starts: str | None = None
    ends: str | None = None

    @property
    def is_scored(self) -> bool:
        """Whether gold can judge this place."""
        return self.status != "illegible"

    @property
    def is_stated(self) -> bool:
        """Whether the document states something here that a program can miss."""
        return self.status in _STATED

    @property
    def is_alone(self) -> bool:
        """Whether a report states this field once: what a program says of it can only answer this fact."""
        return self.starts is None and not is_repeatable(self.path)

    @property
    def group(self) -> str:
        """First part of the path."""
        return self.path.partition(".")[0]


class Kind(NamedTuple):
    """What facts are grouped by: all of one path, source and template."""

    path: str
    source: str
    template: str


# What a fact of a program claims: path, source as stated, status, value.
Claim = tuple[str, str, str, int | float | str | None]


@dataclass(frozen=True)
class GoldDocument:
    """A gold file and the facts in it."""

    file: GoldFile
    path: Path = field(compare=False)

    @property
    def doc_id(self) -> str:
        """Name of the document's file without its ending."""
        return self.file.doc_id

    @property
    def issuer(self) -> str:
        """Who reports; documents of one issuer are one cluster. Unnamed issuers stand alone."""
        return self.file.meta.issuer or f"({self.doc_id})"

    @cached_property
    def facts(self) -> tuple[GoldFact, ...]:
        """Every place that gold speaks of: metadata, tables, prose, text items."""
        return tuple(_expand(self.file))

    @cached_property
    def by_place(self) -> dict[tuple[str, str], list[GoldFact]]:
        """The facts by path and source."""
        places: dict[tuple[str, str], list[GoldFact]] = {}
        for fact in self.facts:
            places.setdefault((fact.path, fact.source), []).append(fact)
        return places

    @cached_property
    def positions(self) -> dict[tuple[str, str], list[int]]:
        """Positions in `facts` by path and source."""
        places: dict[tuple[str, str], list[int]] = {}
        for position, fact in enumerate(self.facts):
            places.setdefault((fact.path, fact.source), []).append(position)
        return places

    @cached_property
    def statuses(self) -> tuple[GoldStatus, ...]:
        """The status of every fact."""
        return tuple(fact.status for fact in self.facts)

    @cached_property
    def right_claims(self) -> dict[Claim, int]:
        """Claims that are right to the letter, with the position of the gold fact that they answer.

        Of places that hold one fact alone; elsewhere, and for values that are the same
        only after normalisation, facts have to be aligned and compared.
        """
        claims: dict[Claim, int] = {}
        for (path, source), positions in self.positions.items():
            fact = self.facts[positions[0]]
            if len(positions) > 1 or not fact.is_alone or not fact.is_scored:
                continue
            status = "blank" if fact.status in _NOTHING_THERE else fact.status
            for stated in SOURCES if source == "metadata" else (source,):
                claims[path, stated, status, fact.value] = positions[0]
        return claims


@dataclass(frozen=True)
class GoldColumns:
    """All gold facts of a folder as columns, document after document.

    `kind` holds positions in `kinds`, `document` rows of documents; `is_nonzero` marks
    figures other than zero.
    """

    kinds: tuple[Kind, ...]
    kind: NDArray[np.int64]
    document: NDArray[np.int64]
    is_nonzero: NDArray[np.bool_]


@dataclass(frozen=True)
class Gold:
    """A folder of gold files in the order of their names; `hash` covers what is scored."""

    folder: Path
    documents: tuple[GoldDocument, ...]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical form of all files."""
        return gold_hash([document.file for document in self.documents])

    @cached_property
    def columns(self) -> GoldColumns:
        """The facts as columns: what counting works on."""
        kinds: dict[Kind, int] = {}
        kind: list[int] = []
        nonzero: list[bool] = []
        for document in self.documents:
            for fact in document.facts:
                kind.append(kinds.setdefault(Kind(fact.path, fact.source, fact.template), len(kinds)))
                nonzero.append(is_figure(fact.path) and is_nonzero(fact.value))
        sizes = [len(document.facts) for document in self.documents]
        return GoldColumns(
            tuple(kinds),
            np.asarray(kind, dtype=np.int64),
            np.repeat(np.arange(len(sizes), dtype=np.int64), sizes),
            np.asarray(nonzero, dtype=np.bool_),
        )

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Documents whose gold is a draft or names no annotator."""
        return tuple(
            document.doc_id
            for document in self.documents
            if document.file.status == "draft" or not document.file.annotators
        )

    @property
    def files(self) -> tuple[GoldFile, ...]:
        """The files as written."""
        return tuple(document.file for document in self.documents)

    @property
    def prefilled(self) -> tuple[str, ...]:
        """Documents whose gold began as a program's output."""
        return tuple(document.doc_id for document in self.documents if document.file.prefilled)


def load_gold(folder: Path, without: Container[Path] = ()) -> Gold:
    """All `*.yaml` files of `folder` but those in `without`; no sub-folders.

    Raises GoldError when there is none, one is not in the form, or two are of one document.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise GoldError(f"{folder}: no gold file; needed are files named <doc_id>.yaml")
    documents = tuple(GoldDocument(_read(path), path) for path in paths if path not in without)
    by_hash: dict[str, Path] = {}
    for document in documents:
        other = by_hash.setdefault(document.file.sha256, document.path)
        if other is not document.path:
            raise GoldError(f"{document.path}: sha256 is also that of {other}; one gold file a document")
    return Gold(folder, documents)


def _read(path: Path) -> GoldFile:
    try:
        return read_gold_file(path)
    except GoldError:
        if (unfinished := said_of_draft(path)) is not None:
            raise GoldError(f"{path}: {unfinished}") from None
        raise


def gold_hash(files: Sequence[GoldFile]) -> str:
    """SHA-256 over what is scored in `files`, whatever their order, layout and comments."""
    content = [
        file.model_dump(mode="json", exclude=_OUTSIDE_THE_HASH, exclude_unset=False)
        | {"meta": file.meta.model_dump(mode="json", exclude_unset=True)}
        for file in sorted(files, key=lambda file: file.doc_id)
    ]
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _expand(file: GoldFile) -> Iterator[GoldFact]:
    document = file.templates.document or "narrative"
    yield from _meta_facts(file.meta, document)
    for item, columns in file.proactive.items():
        form = file.templates.proactive or document
        for column, entry in columns.items():
            yield _cell(f"proactive.{item}.{column}", entry, form, item, column)
    yield from _row_facts("requests", file.requests, APPLICANTS, file.templates.requests or document)
    yield from _row_facts("remedies", file.remedies, OUTCOMES, file.templates.remedies or document)
    for key, entry in file.statistics.items():
        yield _cell(f"statistics.{key}", entry, document, key, None)
    yield from _prose_facts(file, document)
    yield from _text_facts("text.problems", file.text.problems, document)
    yield from _text_facts("text.improvements", file.text.improvements, document)


def _meta_facts(meta: GoldMeta, template: str) -> Iterator[GoldFact]:
    for key in GoldMeta.model_fields:
        if key in meta.model_fields_set:
            value = getattr(meta, key)
            status: GoldStatus = "absent" if value is None else "value"
            yield GoldFact(f"meta.{key}", value, status, "metadata", template)


def _row_facts(
    group: str, rows: dict[str, list[CellEntry]], columns: tuple[str, ...], template: str
) -> Iterator[GoldFact]:
    for row, cells in rows.items():
        for column, entry in zip(columns, cells, strict=True):
            yield _cell(f"{group}.{row}.{column}", entry, template, row, column)


def _cell(path: str, entry: CellEntry, template: str, row: str, column: str | None) -> GoldFact:
    if isinstance(entry, str):
        value, status = _MARKS[entry]
        return GoldFact(path, value, status, "table", template, row=row, column=column)
    return GoldFact(path, entry, "value", "table", template, row=row, column=column)


def _prose_facts(file: GoldFile, template: str) -> Iterator[GoldFact]:
    for line in file.narrative:
        yield GoldFact(
            path=line.path,
            value=line.value,
            status=line.status,
            source="narrative",
            template=template,
            bound=line.bound,
            scope=line.scope,
            raw=line.raw,
            near=line.near,
            label=line.label,
        )


def _text_facts(path: str, items: Sequence[GoldItem], template: str) -> Iterator[GoldFact]:
    for item in items:
        shown = f"{item.starts}…{item.ends}"
        yield GoldFact(path, shown, "value", "narrative", template, starts=item.starts, ends=item.ends)
