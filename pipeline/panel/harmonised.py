"""Harmonised variables and rates of a record, by the crosswalk.

    facts → the form's way to a variable, its table before prose → figures → rates, days late

A figure is a number or says why there is none. A sum has a number only where all its parts
have one: a part that is blank is not zero. Facts are never altered, and nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.checks.meta import REGULATION_OF_2019, deadline
from pipeline.checks.operands import is_number, tidy
from pipeline.fact import Bound, Fact, Record, Source, Template
from pipeline.panel.crosswalk import Crosswalk, FormOf, Rate, Sum, Variable, crosswalk

FigureStatus = Literal[
    "value",
    "zero_in_words",
    "blank",
    "not_applicable",
    "illegible",
    "not_mentioned",
    "failed",
    "not_in_template",
    "undefined",
    "not_comparable",
]
Basis = Literal["regulation", "convention"]

READABLE = ("value", "zero_in_words")
_DECIMALS = 6  # of converted money: what is beyond is rounding of the conversion
# Why there is no number, where several reasons meet: the form's own first, then what says most of the print.
_REASONS: tuple[FigureStatus, ...] = (
    "failed",
    "not_in_template",
    "illegible",
    "blank",
    "not_applicable",
    "not_mentioned",
)
_OPPOSITE: Mapping[Bound, Bound] = {"at_least": "at_most", "at_most": "at_least"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A variable of a report: its number, or by `status` why it has none.

    `source` and `bound` are those of `facts`, which it is made of; None without a number. Then
    `facts` are what is printed instead: a blank cell, or the parts of a sum that lacks others.
    """

    value: int | float | None
    status: FigureStatus
    source: Source | None = None
    bound: Bound | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class RateFigure:
    """A rate with both its parts, so that rates of several reports can be added up rightly."""

    value: float | None
    status: FigureStatus
    numerator: int | float | None = None
    denominator: int | float | None = None


@dataclass(frozen=True, slots=True)
class LatenessFigure:
    """Days after the deadline, negative before it.

    `basis` is `convention` where no regulation names a day for this kind of body.
    """

    days: int | None
    status: FigureStatus
    deadline: date | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Harmonised:
    """All that the crosswalk makes of a record, by the names of its variables and rates."""

    variables: Mapping[str, Figure]
    rates: Mapping[str, RateFigure]
    lateness: LatenessFigure


def harmonise(
    record: Record,
    year: int | None,
    issuer_type: str | None,
    level: str | None = None,
    rules: Crosswalk | None = None,
) -> Harmonised:
    """The variables and rates of a record on `year`."""
    rules = rules or crosswalk()
    variables = figures(record, rules)
    return Harmonised(
        variables,
        {rate.name: rate_of(rate, variables) for rate in rules.rates},
        lateness_of(record, year, issuer_type, level),
    )


def figures(record: Record, rules: Crosswalk | None = None) -> dict[str, Figure]:
    """The harmonised variables of a record."""
    variables = (rules or crosswalk()).variables
    if record.status == "failed":
        return {variable.name: Figure(None, "failed") for variable in variables}
    found = _by_place(record.facts)
    return {variable.name: _figure(variable, record, found) for variable in variables}


_Found = Mapping[tuple[Source, str], Fact]


def _by_place(facts: Iterable[Fact]) -> _Found:
    """The first fact with a number for each source and field, else the first without."""
    found: dict[tuple[Source, str], Fact] = {}
    for fact in facts:
        before = found.get((fact.source, fact.path))
        if before is None or (is_number(fact) and not is_number(before)):
            found[fact.source, fact.path] = fact
    return found


def form_of(record: Record, table: FormOf) -> Template:
    """The form that a table of the record follows; that of the document where it has no such table."""
    document = record.templates.document or "narrative"
    own: Template | None = getattr(record.templates, table)
    return own or document


def _figure(variable: Variable, record: Record, found: _Found) -> Figure:
    form = form_of(record, variable.form_of)
    without: list[Figure] = []
    for source, terms in _candidates(variable, form):
        figure = _sum(terms, source, found)
        if figure.status in READABLE:
            return figure
        without.append(figure)
    status = _worst({figure.status for figure in without}) if without else "not_mentioned"
    facts = next((figure.facts for figure in without if figure.status == status), ())
    if status == "not_mentioned" and form not in variable.ways:
        status = "not_in_template"
    return Figure(None, status, facts=facts)


def _candidates(variable: Variable, form: Template) -> Iterator[tuple[Source, Sum]]:
    """The ways to a variable, the table's first. Local tables before 2014 are in narrative reports."""
    table: Template = "stat2014" if form == "narrative" else form
    for terms in variable.ways.get(table, ()):
        yield "table", terms
    if form in variable.prose_in:
        for terms in variable.ways.get("narrative", ()):
            yield "narrative", terms


def _sum(terms: Sum, source: Source, found: _Found) -> Figure:
    facts = [found.get((source, term.name)) for term in terms]
    printed = tuple(fact for fact in facts if fact is not None)
    numbers = [fact for fact in printed if is_number(fact)]
    if len(numbers) < len(terms):
        return Figure(None, _worst(_reason(fact) for fact in facts), facts=printed)
    amount = sum(
        float(fact.value or 0) * term.factor for fact, term in zip(numbers, terms, strict=True)
    )  # `value` is a number: is_number has said so
    in_words = all(fact.status == "zero_in_words" for fact in numbers)
    bound = _bound([(fact.bound, term.factor) for fact, term in zip(numbers, terms, strict=True)])
    status: FigureStatus = "zero_in_words" if in_words else "value"
    return Figure(tidy(round(amount, _DECIMALS)), status, source, bound, printed)


def _reason(fact: Fact | None) -> FigureStatus:
    if fact is None:
        return "not_mentioned"
    if is_number(fact):
        return "value"
    # A text where a number belongs, or a number that is not finite, cannot be reckoned with.
    return "illegible" if fact.status in READABLE else fact.status


def _worst(reasons: Iterable[FigureStatus]) -> FigureStatus:
    """The first of the reasons, by what they say of the print."""
    found = set(reasons)
    return next(reason for reason in _REASONS if reason in found)


def _bound(parts: Iterable[tuple[Bound, int]]) -> Bound:
    """Bound of a sum: a lower one with an upper one leaves nothing certain."""
    bounds = {_OPPOSITE.get(bound, bound) if factor < 0 else bound for bound, factor in parts} - {"exact"}
    if not bounds:
        return "exact"
    return bounds.pop() if len(bounds) == 1 else "about"


def rate_of(rate: Rate, variables: Mapping[str, Figure]) -> RateFigure:
    """A rate from the variables; none where a part has none, of 0, or from different sources."""
    above = [variables[term.name] for term in rate.numerator]
    below = [variables[term.name] for term in rate.denominator]
    numerator, denominator = _total(rate.numerator, above), _total(rate.denominator, below)
    missing = [part.status for part in (*above, *below) if part.value is None]
    if numerator is None or denominator is None:
        return RateFigure(None, _worst(missing), numerator, denominator)
    if len({part.source for part in (*above, *below)}) > 1:
        return RateFigure(None, "not_comparable", numerator, denominator)
    if denominator <= 0:
        return RateFigure(None, "undefined", numerator, denominator)
    return RateFigure(numerator / denominator, "value", numerator, denominator)


def _total(terms: Sum, parts: Iterable[Figure]) -> int | float | None:
    amount = 0.0
    for term, part in zip(terms, parts, strict=True):
        if part.value is None:
            return None
        amount += part.value * term.factor
    return tidy(amount)


def lateness_of(
    record: Record, year: int | None, issuer_type: str | None, level: str | None = None
) -> LatenessFigure:
    """Days from the deadline of the year to the day of publication, where that is printed."""
    if record.status == "failed":
        return LatenessFigure(None, "failed")
    if year is None or not date.min.year <= year < date.max.year:
        return LatenessFigure(None, "not_mentioned")
    due, basis = deadline(year, issuer_type), _basis(year, issuer_type, level)
    published = [fact for fact in record.facts if fact.path == "meta.published_on"]
    days = {_day(fact) for fact in published}
    if not published:
        return LatenessFigure(None, "not_mentioned", due, basis)
    day = days.pop()
    if days or day is None:
        return LatenessFigure(None, "illegible", due, basis)  # several days, or one that is none
    return LatenessFigure((day - due).days, "value", due, basis)


def _day(fact: Fact) -> date | None:
    try:
        return date.fromisoformat(str(fact.value)) if fact.status == "value" else None
    except ValueError:
        return None


def _basis(year: int, issuer_type: str | None, level: str | None) -> Basis:
    """Regulation of 2007, Art. 31: all bodies. Of 2019, Art. 49–50: of the county level and above."""
    if year < REGULATION_OF_2019:
        return "regulation"
    is_named = issuer_type in ("government", "government_office", "department") and level != "township"
    return "regulation" if is_named else "convention"
