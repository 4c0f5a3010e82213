"""`year.*`: what one year's report carries on, the next one takes up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from pipeline.checks.findings import labels, shown
from pipeline.checks.operands import Number, equal, number, tidy
from pipeline.fact import Fact, Finding
from pipeline.panel.lineage import PlaceChange
from pipeline.panel.model import PanelRow
from pipeline.panel.sides import AcrossFinding, Side, Tally, suspected_cause
from pipeline.panel.units import Places
from pipeline.schema import APPLICANTS

_REGULATIONS = ("regulations", "normative_documents")
_ITEMS = ("licensing", "other_services", "penalties", "coercion", "administrative_fees")


@dataclass(frozen=True, slots=True)
class _Link:
    """An identity over two years: what the earlier report says of the later one.

    `now` of the later one = the sum of `before` of the earlier one + `added` - `taken` of the later one.
    """

    rule: str
    at: str
    now: str
    before: tuple[str, ...]
    added: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


@cache
def _links() -> tuple[_Link, ...]:
    carry = [
        _Link(
            "year.carry",
            applicant,
            now=f"requests.carried_in.{applicant}",
            before=(f"requests.carried_out.{applicant}",),
        )
        for applicant in APPLICANTS
    ]
    in_force = [
        _Link(
            "year.in_force",
            item,
            now=f"proactive.{item}.in_force",
            before=(f"proactive.{item}.in_force",),
            added=(f"proactive.{item}.issued",),
            taken=(f"proactive.{item}.repealed",),
        )
        for item in _REGULATIONS
    ]
    items = [
        _Link(
            "year.items",
            item,
            now=f"proactive.{item}.items_previous",
            before=(f"proactive.{item}.items_previous", f"proactive.{item}.items_change"),
        )
        for item in _ITEMS
    ]
    return (*carry, *in_force, *items)


@cache
def _operands() -> frozenset[str]:
    """The cells that links and the balance of requests need."""
    links = (path for link in _links() for path in (link.now, *link.before, *link.added, *link.taken))
    balance = (f"requests.{row}.{each}" for row in ("new_received", "concluded") for each in APPLICANTS)
    return frozenset((*links, *balance))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A reporter's reports on two years, one after the other, read; what became of its place then."""

    earlier: PanelRow
    later: PanelRow
    old: Side
    new: Side
    changes: tuple[PlaceChange, ...]


def over_years(rows: Sequence[PanelRow], places: Places, tally: Tally) -> Iterator[AcrossFinding]:
    """All `year.*` findings; `rows` by reporter and year. Two records are held at a time."""
    for pair in _pairs(rows, places):
        for link in _links():
            yield from _check_link(link, pair, tally)


def _pairs(rows: Sequence[PanelRow], places: Places) -> Iterator[_Pair]:
    old: Side | None = None
    for earlier, later in pairwise(rows):
        if earlier.reporter_id != later.reporter_id or earlier.year + 1 != later.year:
            old = None
            continue
        new = Side.of(later.chosen, _operands())
        yield _Pair(earlier, later, old or Side.of(earlier.chosen, _operands()), new, _changes(later, places))
        old = new


def _changes(row: PanelRow, places: Places) -> tuple[PlaceChange, ...]:
    """What a row's place took in or lost in its year."""
    unit = row.chosen.unit
    changes = places.changes_of(unit.unit_id) if unit is not None else ()
    return tuple(each for each in changes if each.year == row.year and each.old != each.new)


def _check_link(link: _Link, pair: _Pair, tally: Tally) -> Iterator[AcrossFinding]:
    if link.now not in pair.new.printed or link.before[0] not in pair.old.printed:
        return
    operands = pair.new.cells((link.now, *link.added, *link.taken))
    basis = pair.old.cells(link.before)
    tally.count(link.rule, is_assessable=operands is not None and basis is not None)
    if operands is None or basis is None:
        return
    expected = _expected(link, basis, operands)
    if not equal(expected, number(operands[0])):
        yield _broken_link(link, pair, operands, basis, expected)


def _expected(link: _Link, basis: Sequence[Fact], operands: Sequence[Fact]) -> Number:
    added = operands[1 : 1 + len(link.added)]
    taken = operands[1 + len(link.added) :]
    return tidy(sum(map(number, basis)) + sum(map(number, added)) - sum(map(number, taken)))


def _broken_link(
    link: _Link, pair: _Pair, operands: Sequence[Fact], basis: Sequence[Fact], expected: Number
) -> AcrossFinding:
    old, new, change = pair.old, pair.new, _changed_place(pair)
    suspect = _suspect(link, pair, basis[0], operands[0])
    hints = (suspect.reason if suspect is not None else None, _other_version(link, pair), change)
    message = _sentence(link, pair, operands, basis, expected)
    finding = Finding(
        rule=link.rule,
        severity="warning",
        paths=tuple(dict.fromkeys(fact.path for fact in (*operands, *basis))),
        expected=expected,
        printed=number(operands[0]),
        cause="scope" if change is not None else suspected_cause(((old, basis), (new, operands))),
        message="; ".join([f"{link.rule}, {_where(link)}: {message}", *filter(None, hints)]),
        at=link.at,
        evidence=tuple(fact.evidence for fact in operands),
    )
    return AcrossFinding(
        doc_id=new.source.doc_id,
        run=new.source.run,
        other_doc_id=old.source.doc_id,
        other_run=old.source.run,
        finding=finding,
        other_evidence=tuple(fact.evidence for fact in basis),
        reporter_id=pair.later.reporter_id,
        year=pair.later.year,
        suspect=suspect.doc_id if suspect is not None else None,
    )


def _where(link: _Link) -> str:
    """The applicant, else the item, as the form prints it."""
    names = labels(link.now)
    return names[-1] if link.rule == "year.carry" else names[0]


def _sentence(
    link: _Link, pair: _Pair, operands: Sequence[Fact], basis: Sequence[Fact], expected: Number
) -> str:
    before, year, printed = pair.earlier.year, pair.later.year, shown(operands[0])
    if link.rule == "year.carry":
        return (
            f"the report on {before} carries {shown(basis[0])} over, but that on {year} takes over {printed}"
        )
    if link.rule == "year.in_force":
        _, issued, repealed = operands
        return (
            f"{shown(basis[0])} in force in {before} + {shown(issued)} issued - {shown(repealed)} repealed "
            f"= {expected}, but the report on {year} prints {printed} in force"
        )
    previous, change = basis
    return (
        f"the report on {before} has {shown(previous)} items and a change of {shown(change)} = {expected}, "
        f"but that on {year} prints {printed} for the year before"
    )


@dataclass(frozen=True, slots=True)
class _Suspect:
    doc_id: str
    reason: str


def _suspect(link: _Link, pair: _Pair, basis: Fact, printed: Fact) -> _Suspect | None:
    """The one of two documents whose own sums do not hold where the carried figure takes part."""
    if link.rule != "year.carry":
        return None
    earlier = _trouble(pair.old, basis, number(printed), sign=1)
    later = _trouble(pair.new, printed, number(basis), sign=-1)
    if earlier is not None and later is None:
        return _Suspect(pair.old.source.doc_id, f"the table of {pair.earlier.year} {earlier}")
    if later is not None and earlier is None:
        return _Suspect(pair.new.source.doc_id, f"the table of {pair.later.year} {later}")
    return None


def _trouble(side: Side, fact: Fact, instead: Number, sign: int) -> str | None:
    """What speaks against a carried figure in its own document; `sign` is its side of the balance."""
    _, row, applicant = fact.path.split(".")
    columns = side.cells(f"requests.{row}.{each}" for each in APPLICANTS)
    came = side.cells(f"requests.{each}.{applicant}" for each in ("new_received", "carried_in"))
    went = side.cells(f"requests.{each}.{applicant}" for each in ("concluded", "carried_out"))
    if came is not None and went is not None:
        gap = sum(map(number, went)) - sum(map(number, came))
        if not equal(gap, 0):
            is_mended = equal(gap + sign * (instead - number(fact)), 0)
            return f"does not balance{f', and would with {tidy(instead)}' if is_mended else ''}"
    if columns is not None and not equal(sum(map(number, columns[:-1])), number(columns[-1])):
        return "does not add up in this row"
    return None


def _other_version(link: _Link, pair: _Pair) -> str | None:
    """The version, not chosen, with which the identity would hold."""
    for row, is_old in ((pair.earlier, True), (pair.later, False)):
        for version in row.versions:
            if version.role == "superseded":
                side = Side.of(version.source, _operands())
                if _holds(link, side, pair.new) if is_old else _holds(link, pair.old, side):
                    return f"it holds with another version of the report on {row.year}, {side.source.doc_id}"
    return None


def _changed_place(pair: _Pair) -> str | None:
    """A place that took in or lost others: then its report counts other bodies than before."""
    if not pair.changes:
        return None
    kinds = ", ".join(sorted({each.kind for each in pair.changes}))
    return f"the place itself has changed in {pair.later.year} ({kinds})"


def _holds(link: _Link, old: Side, new: Side) -> bool:
    operands = new.cells((link.now, *link.added, *link.taken))
    basis = old.cells(link.before)
    if operands is None or basis is None:
        return False
    return equal(_expected(link, basis, operands), number(operands[0]))
