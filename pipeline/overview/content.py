"""A panel as the page's script reads it: an index of everything that is drawn, and packed details.

The index has one column a quantity over all rows (issuer and year), sorted by issuer and year:
a list of numbers takes half the space of as many lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.fact import Fact
from pipeline.overview.details import DetailNames, detail, pack
from pipeline.overview.excerpts import Texts
from pipeline.overview.material import IssuerYear, Material, PageFinding, Value, Variable
from pipeline.overview.names import Names
from pipeline.schema import fields

STATUSES = ("ok", "flagged", "failed")
# Of the list of findings and of documents without a place; the panel of an issuer has all of its own.
MOST_FINDINGS = 4_000
MOST_UNPLACED = 1_000
# Excerpts of every figure up to so many rows, of flagged figures alone beyond.
MOST_WITH_EXCERPTS = 1_500
EXCERPT_CHARACTERS = 5_000_000
_ROWS_PACKED_TOGETHER = 250
_MOST_PRINTS = 8
_MOST_OF_MESSAGE = 240
_SEVERITIES = ("error", "warning", "note")
# Rates are numbers of four decimals, kept as whole numbers.
RATE_SCALE = 10_000


@dataclass
class _Columns:
    """The index while it grows."""

    variables: Sequence[Variable]
    issuer: list[int] = field(default_factory=list)
    year: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    figures: list[int] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)
    values: dict[str, list[Value]] = field(init=False)

    def __post_init__(self) -> None:
        self.values = {each.name: [] for each in self.variables if each.role != "other"}

    def add(self, issuer: int, row: IssuerYear) -> None:
        """Put in a row."""
        figures, flagged = _flagged_share(row)
        self.issuer.append(issuer)
        self.year.append(row.row.year)
        self.status.append(STATUSES.index(row.status))
        self.versions.append(len(row.row.versions))
        self.figures.append(figures)
        self.flagged.append(flagged)
        by_name = {figure.name: figure.value for figure in row.figures}
        for variable in self.variables:
            if variable.role != "other":
                value = by_name.get(variable.name)
                self.values[variable.name].append(_charted(value, is_rate=variable.role == "rate"))

    def as_dict(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: column for name, column in vars(self).items() if name != "variables"}


def _charted(value: Value, *, is_rate: bool) -> Value:
    if not isinstance(value, int | float):
        return None
    if is_rate:
        return round(value * RATE_SCALE)
    return int(value) if float(value).is_integer() else value


def _flagged_share(row: IssuerYear) -> tuple[int, int]:
    """Figures of the chosen report, and how many of them a finding that is more than a note speaks of."""
    keys = {_key(fact) for fact in row.record.facts if _is_figure(fact)}
    flagged = {
        _key(operand.fact)
        for finding in row.findings
        if finding.flags
        for operand in finding.operands
        if operand.other is None
    }
    return len(keys), len(keys & flagged)


def _key(fact: Fact) -> tuple[str, int, int]:
    return fact.path, fact.evidence.start, fact.evidence.end


def _is_figure(fact: Fact) -> bool:
    return fact.source != "metadata" and not isinstance(fact.value, str)


@dataclass
class _Issuers:
    """Issuers in the order of the rows, with the place of their last report."""

    levels: Names = field(default_factory=Names)
    types: Names = field(default_factory=Names)
    provinces: _Places = field(default_factory=lambda: _Places())
    prefectures: _Places = field(default_factory=lambda: _Places())
    listed: list[list[Any]] = field(default_factory=list)
    _last: str | None = None

    def position(self, row: IssuerYear) -> int:
        """The number of a row's issuer, which is that of the row before or a new one."""
        chosen, reporter = row.row.chosen, row.row.reporter_id
        if reporter != self._last:
            self._last = reporter
            self.listed.append([])
        unit, earlier = chosen.unit, self.listed[-1]
        self.listed[-1] = [
            reporter,
            chosen.issuer or (earlier[1] if earlier else reporter),
            self.levels.position(chosen.level or (unit.level if unit else None)),
            self.types.position(chosen.issuer_type),
            self.provinces.position(unit.province_code, unit.province) if unit else None,
            self.prefectures.position(unit.prefecture_code, unit.prefecture) if unit else None,
            unit.code or None if unit else None,
        ]
        return len(self.listed) - 1

    def names(self) -> dict[str, list[str]]:
        """The lists that `listed` points into."""
        return {
            "level": self.levels.listed,
            "type": self.types.listed,
            "province": self.provinces.names(),
            "prefecture": self.prefectures.names(),
        }


class _Places:
    """Places by their codes: a report of a place that GB/T 2260 lacks may print no superior's name."""

    def __init__(self) -> None:
        self._codes = Names()
        self._names: dict[str, str] = {}

    def position(self, code: str | None, name: str | None) -> int | None:
        """The place of a code, or of a name without one."""
        key = code or name
        if key is not None and name is not None:
            self._names[key] = name
        return self._codes.position(key)

    def names(self) -> list[str]:
        """The last name known of each, else its code."""
        return [self._names.get(key, key) for key in self._codes.listed]


@dataclass
class _Listed:
    """Findings for the page's list, the latest years and the gravest first."""

    rules: Names
    rows: list[tuple[int, int, int, list[Any]]] = field(default_factory=list)

    def add(self, position: int, year: int, number: int, finding: PageFinding) -> None:
        """Put in a finding: `position` is that of its row, `number` its own in the row's detail."""
        prints = [_print(operand.fact) for operand in finding.operands[:_MOST_PRINTS]]
        row = [
            position,
            number,
            self.rules.position(finding.rule),
            _SEVERITIES.index(finding.severity),
            finding.expected,
            finding.printed,
            finding.cause,
            finding.message[:_MOST_OF_MESSAGE],
            prints + (["…"] if len(finding.operands) > _MOST_PRINTS else []),
        ]
        self.rows.append((-year, _SEVERITIES.index(finding.severity), position, row))

    def most(self) -> list[list[Any]]:
        """The rows that the page shows."""
        self.rows.sort(key=lambda row: row[:3])
        return [row for *_, row in self.rows[:MOST_FINDINGS]]


def _print(fact: Fact) -> str:
    return fact.raw if len(fact.raw) <= 24 else fact.raw[:23] + "…"


@dataclass(frozen=True)
class Content:
    """Index and packed details of a page."""

    index: dict[str, Any]
    details: list[str]


def overview_content(material: Material) -> Content:
    """What the page shows of a panel."""
    names, texts = DetailNames(), Texts(EXCERPT_CHARACTERS)
    columns, issuers, listed = _Columns(material.variables), _Issuers(), _Listed(names.rules)
    packed: list[str] = []
    starts: list[int] = []
    waiting: list[Any] = []
    for position, row in enumerate(material.rows):
        columns.add(issuers.position(row), row)
        for number, finding in enumerate(row.findings):
            listed.add(position, row.row.year, number, finding)
        if not waiting:
            starts.append(position)
        waiting.append(detail(row, names, texts, with_all_excerpts=material.row_count <= MOST_WITH_EXCERPTS))
        if len(waiting) == _ROWS_PACKED_TOGETHER:
            packed.append(pack(waiting))
            waiting = []
    if waiting:
        packed.append(pack(waiting))
    index = {
        "runs": list(material.runs),
        "variables": _variables(material.variables),
        "issuers": issuers.listed,
        "names": issuers.names() | names.as_dict(),
        "labels": {path: _labels(path) for path in names.paths.listed},
        "columns": columns.as_dict(),
        "starts": starts,
        "findings": listed.most(),
        "findings_in_all": len(listed.rows),
        "unplaced": [[each.doc_id, each.run, each.reason] for each in material.unplaced[:MOST_UNPLACED]],
        "unplaced_in_all": len(material.unplaced),
        "rate_scale": RATE_SCALE,
    }
    return Content(index, packed)


def _variables(variables: Sequence[Variable]) -> list[list[Any]]:
    positions = {variable.name: position for position, variable in enumerate(variables)}
    return [
        [
            each.name,
            each.label_zh,
            each.label_en,
            each.unit,
            each.role,
            [positions[part] for part in each.parts],
        ]
        for each in variables
    ]


def _labels(path: str) -> list[str]:
    spec = fields().get(path)
    return [path, path] if spec is None else [spec.label, spec.meaning]
