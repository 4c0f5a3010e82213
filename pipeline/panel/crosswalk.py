"""`crosswalk.yaml`: which fields of which form are the same variable, and what rates are made of.

Read and checked once. A field that the schema does not have, a sum that cannot be read or a
name that stands twice is an error of this package, found by its tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field

from pipeline.fact import Template
from pipeline.schema import fields

FormOf = Literal["document", "proactive", "requests", "remedies"]
TEMPLATES: tuple[Template, ...] = get_args(Template)

_FILE = Path(__file__).with_name("crosswalk.yaml")
_TERM = re.compile(r"(?P<sign>[+-]?)\s*(?P<name>[a-z][a-z0-9_.]*)(?:\s*\*\s*(?P<factor>\d+))?\s*")


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a sum: a field or variable, and what it is multiplied with (-1 to subtract it)."""

    name: str
    factor: int = 1


Sum = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that means the same in all forms that have `ways` to it.

    `ways`: form → sums of fields, the best first. `form_of` is the table whose form decides which.
    `prose_in`: forms of the reports whose prose counts, where no table has the variable.
    """

    name: str
    label_zh: str
    label_en: str
    unit: str
    form_of: FormOf
    ways: Mapping[Template, tuple[Sum, ...]]
    prose_in: tuple[Template, ...]
    caveat: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A sum of variables over another one; between 0 and 1 where a report is consistent."""

    name: str
    label_zh: str
    label_en: str
    numerator: Sum
    denominator: Sum
    formula: str
    caveat: str


@dataclass(frozen=True, slots=True)
class Lateness:
    """The variable of days after the deadline, with its labels."""

    name: str
    label_zh: str
    label_en: str
    unit: str
    caveat: str


@dataclass(frozen=True, slots=True)
class Break:
    """Fields that look alike in two forms and are not linked, and why."""

    fields: tuple[str, ...]
    between: tuple[Template, Template]
    why: str


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """All of `crosswalk.yaml`. `notices`: form → the notice it comes from."""

    notices: Mapping[Template, str]
    variables: tuple[Variable, ...]
    rates: tuple[Rate, ...]
    lateness: Lateness
    not_linked: tuple[Break, ...]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Labelled(_Entry):
    name: str
    label_zh: str = Field(min_length=1)
    label_en: str = Field(min_length=1, max_length=80)
    caveat: str = Field(min_length=1)


class _VariableEntry(_Labelled):
    unit: str
    form_of: FormOf = "document"
    narrative: str | list[str] = []
    stat2014: str | list[str] = []
    table2019: str | list[str] = []
    table2021: str | list[str] = []
    prose_in: tuple[Template, ...] = TEMPLATES


class _RateEntry(_Labelled):
    numerator: str
    denominator: str


class _LatenessEntry(_Labelled):
    unit: str


class _BreakEntry(_Entry):
    fields: tuple[str, ...]
    between: tuple[Template, Template]
    why: str


class _File(_Entry):
    notices: dict[Template, str]
    variables: list[_VariableEntry]
    rates: list[_RateEntry]
    lateness: _LatenessEntry
    not_linked: list[_BreakEntry]


@cache
def crosswalk() -> Crosswalk:
    """The crosswalk of this package."""
    return read_crosswalk(_FILE.read_text(encoding="utf-8"))


def read_crosswalk(text: str) -> Crosswalk:
    """A crosswalk from YAML. Raises ValueError for what it may not hold."""
    content = _File.model_validate(yaml.safe_load(text))
    variables = tuple(_variable(entry) for entry in content.variables)
    rates = tuple(_rate(entry) for entry in content.rates)
    found = Crosswalk(
        content.notices,
        variables,
        rates,
        Lateness(**content.lateness.model_dump()),
        tuple(Break(entry.fields, entry.between, entry.why) for entry in content.not_linked),
    )
    _refuse_unknown(found)
    return found


def _variable(entry: _VariableEntry) -> Variable:
    ways = {form: _ways(getattr(entry, form)) for form in TEMPLATES}
    return Variable(
        name=entry.name,
        label_zh=entry.label_zh,
        label_en=entry.label_en,
        unit=entry.unit,
        form_of=entry.form_of,
        ways={form: sums for form, sums in ways.items() if sums},
        prose_in=entry.prose_in,
        caveat=entry.caveat,
    )


def _ways(entry: str | list[str]) -> tuple[Sum, ...]:
    return tuple(read_sum(text) for text in ([entry] if isinstance(entry, str) else entry))


def _rate(entry: _RateEntry) -> Rate:
    return Rate(
        name=entry.name,
        label_zh=entry.label_zh,
        label_en=entry.label_en,
        numerator=read_sum(entry.numerator),
        denominator=read_sum(entry.denominator),
        formula=f"({entry.numerator}) / ({entry.denominator})",
        caveat=entry.caveat,
    )


def read_sum(text: str) -> Sum:
    """`a.b + c.d - e.f * 10000` as terms. Raises ValueError where it is no such sum."""
    terms: list[Term] = []
    place, content = 0, text.strip()
    while place < len(content):
        found = _TERM.match(content, place)
        if found is None or (bool(terms) != bool(found["sign"])):
            raise ValueError(f"{text!r}: at {content[place : place + 20]!r} a sum of fields was expected")
        terms.append(Term(found["name"], int(found["factor"] or 1) * (-1 if found["sign"] == "-" else 1)))
        place = found.end()
    if not terms:
        raise ValueError("a sum without fields")
    return tuple(terms)


def written(terms: Sum) -> str:
    """A sum as the file has it."""
    parts = []
    for term in terms:
        sign = "- " if term.factor < 0 else "+ "
        factor = "" if abs(term.factor) == 1 else f" * {abs(term.factor)}"
        parts.append(f"{sign}{term.name}{factor}")
    return " ".join(parts).removeprefix("+ ")


def _refuse_unknown(found: Crosswalk) -> None:
    variables = [variable.name for variable in found.variables]
    names = [*variables, *(rate.name for rate in found.rates), found.lateness.name]
    doubled = {name for name in names if names.count(name) > 1}
    lacking = sorted({path for path in _paths(found) if path not in fields() or fields()[path].repeatable})
    unknown = sorted({name for rate in found.rates for name in _parts(rate)} - set(variables))
    for what, wrong in (("names twice", doubled), ("no fields", lacking), ("no variables", unknown)):
        if wrong:
            raise ValueError(f"crosswalk: {what}: {', '.join(wrong)}")


def _paths(found: Crosswalk) -> Iterator[str]:
    for variable in found.variables:
        for sums in variable.ways.values():
            for terms in sums:
                yield from (term.name for term in terms)
    for entry in found.not_linked:
        yield from entry.fields


def _parts(rate: Rate) -> Iterator[str]:
    yield from (term.name for term in (*rate.numerator, *rate.denominator))
