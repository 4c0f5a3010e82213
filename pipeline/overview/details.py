"""What the side panel shows of an issuer and year: values, prints, places, findings, versions.

Prints have a column a quantity, and a figure that is what one print says is that print's number
alone: both halve the page. Names are positions in the lists of `DetailNames`. Many details
together are packed (zlib, base64) into one string, which the page unpacks when one is asked for.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.fact import Fact
from pipeline.overview.excerpts import Texts
from pipeline.overview.material import Figure, IssuerYear, PageFinding, Paper
from pipeline.overview.names import Names

_DECIMALS = 5  # of rates


@dataclass
class DetailNames:
    """The lists of names that details point into."""

    paths: Names = field(default_factory=Names)
    statuses: Names = field(default_factory=Names)
    sources: Names = field(default_factory=Names)
    bounds: Names = field(default_factory=Names)
    rules: Names = field(default_factory=Names)

    def as_dict(self) -> dict[str, list[str]]:
        """The lists by their names."""
        return {name: names.listed for name, names in vars(self).items()}


@dataclass
class Prints:
    """The prints of one issuer and year, each once, however many figures and findings it has."""

    issuer_year: IssuerYear
    names: DetailNames
    texts: Texts
    with_all_excerpts: bool
    rows: list[dict[str, Any]] = field(default_factory=list)
    _positions: dict[tuple[str, int, int, str | None], int] = field(default_factory=dict)

    def position(self, fact: Fact, other: Paper | None = None, *, is_flagged: bool = False) -> int:
        """Where the print of a fact stands in `rows`; `other` is its document if not the row's own."""
        key = (fact.path, fact.evidence.start, fact.evidence.end, None if other is None else other.doc_id)
        if key not in self._positions:
            self._positions[key] = len(self.rows)
            self.rows.append(self._row(fact, other, is_flagged))
        return self._positions[key]

    def _row(self, fact: Fact, other: Paper | None, is_flagged: bool) -> dict[str, Any]:
        place, names = fact.evidence, self.names
        return {
            "path": names.paths.position(fact.path),
            "value": fact.value,
            "status": names.statuses.position(fact.status),
            "source": names.sources.position(fact.source),
            "raw": None if fact.raw == str(fact.value) else fact.raw,
            "start": place.start,
            "length": place.end - place.start,
            "page": place.page,
            "table": place.table,
            "row": place.row,
            "column": place.column,
            "bound": None if fact.bound == "exact" else names.bounds.position(fact.bound),
            "excerpt": self._excerpt(fact, other) if is_flagged or self.with_all_excerpts else None,
            "document": None if other is None else other.doc_id,
        }

    def _excerpt(self, fact: Fact, other: Paper | None) -> list[str] | None:
        found = self.texts.excerpt(other or self.issuer_year.paper, fact)
        return None if found is None else list(found)

    def columns(self) -> dict[str, list[Any]]:
        """A list a quantity; those that no print has are left out. `start` counts from the print before."""
        columns = {name: [row[name] for row in self.rows] for name in (self.rows[0] if self.rows else ())}
        starts = columns.get("start", [])
        columns["start"] = [start - before for start, before in zip(starts, [0, *starts], strict=False)]
        return {name: column for name, column in columns.items() if any(each is not None for each in column)}


def detail(issuer_year: IssuerYear, names: DetailNames, texts: Texts, *, with_all_excerpts: bool) -> Any:
    """What the panel shows of an issuer and year."""
    prints = Prints(issuer_year, names, texts, with_all_excerpts)
    # Findings first: the prints that they flag are those with an excerpt.
    findings = [_finding(found, prints) for found in issuer_year.findings]
    figures = [_figure(figure, prints) for figure in issuer_year.figures]
    record, chosen = issuer_year.record, issuer_year.row.chosen
    return {
        "doc": record.doc_id,
        "run": chosen.run,
        "file": record.file,
        "issuer": chosen.issuer,
        "error": record.error,
        "templates": list(record.templates.model_dump().values()),
        "versions": [
            [version.source.doc_id, version.source.run, version.role, version.reason]
            for version in issuer_year.row.versions
        ],
        "figures": figures,
        "prints": prints.columns(),
        "findings": findings,
    }


def _figure(figure: Figure, prints: Prints) -> list[Any] | int | None:
    """`[value, status, prints]`; the status alone where there is nothing else, as most variables of a
    form; -1 - n where it is what print n says."""
    status = prints.names.statuses.position(figure.status)
    if figure.value is None and not figure.facts:
        return status
    places = [prints.position(fact) for fact in figure.facts]
    if len(places) == 1 and (figure.facts[0].value, figure.facts[0].status) == (figure.value, figure.status):
        return -1 - places[0]
    value = round(figure.value, _DECIMALS) if isinstance(figure.value, float) else figure.value
    return [value, status, places]


def _finding(finding: PageFinding, prints: Prints) -> dict[str, Any]:
    return {
        "rule": prints.names.rules.position(finding.rule),
        "severity": finding.severity,
        "at": finding.at,
        "expected": finding.expected,
        "printed": finding.printed,
        "cause": finding.cause,
        "message": finding.message,
        "prints": [
            prints.position(operand.fact, operand.other, is_flagged=finding.flags)
            for operand in finding.operands
        ],
    }


def pack(details: Sequence[Any]) -> str:
    """Details as the page unpacks them: JSON, zlib, base64."""
    text = json.dumps(details, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")
