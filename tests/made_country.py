"""A country that does not exist, as a folder of reports, and what a panel of them must say.

    country = make_country(counties=50, seed=1)
    country.write(folder)            files as a crawl of two sites leaves them
    country.rows, country.documents, country.broken      the truth

Every county, five prefectures and some departments and townships report each year from 2013 to 2024,
on the form of the year or, a few, on an older one. Figures agree within a report, over the years and,
in two prefectures, over the levels, except where an error was planted. Reports are missing, come twice,
in another format, are altered later, or arrive as a broken file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random

from made_documents import MadeDocument, documents_of
from made_identities import Broken, Printed, broken_over_levels, broken_over_years, broken_within
from made_places import YEARS, MadeProvince, made_province
from made_plans import SUMMING, SUMS_FROM, Plan, government_of, make_plans, reporters_of
from made_planting import PLANTS
from made_reports import ExpectedFact


@dataclass(frozen=True)
class MadeRow:
    """A body in a year: the files with the report that counts, and what that report holds."""

    reporter_id: str
    unit_id: str
    year: int
    doc_ids: tuple[str, ...]
    facts: frozenset[ExpectedFact]
    plan: Plan


@dataclass
class MadeCountry:
    """All files, and the truth about them."""

    province: MadeProvince
    plans: list[Plan]
    documents: list[MadeDocument] = field(default_factory=list)

    @cached_property
    def rows(self) -> tuple[MadeRow, ...]:
        """The panel: a body in a year, where a readable report of it is there."""
        found: dict[tuple[str, int], list[MadeDocument]] = defaultdict(list)
        for each in self.documents:
            if each.role in ("chosen", "duplicate", "other_carrier"):
                found[each.plan.reporter.reporter_id, each.plan.year].append(each)
        return tuple(
            MadeRow(
                reporter_id,
                documents[0].plan.reporter.place.unit_id,
                year,
                tuple(each.doc_id for each in documents),
                documents[0].report.expected,
                documents[0].plan,
            )
            for (reporter_id, year), documents in sorted(found.items())
        )

    @cached_property
    def broken_within(self) -> frozenset[Broken]:
        """The identities that readable documents break by themselves."""
        return frozenset(
            broken
            for each in self.documents
            if each.role != "failed"
            for broken in broken_within(Printed.of(each.doc_id, each.report.expected))
        )

    @cached_property
    def broken_across(self) -> frozenset[Broken]:
        """The identities that rows break over years and levels, at the first document of the row."""
        return frozenset((*self._over_years(), *self._over_levels()))

    def _over_years(self) -> Iterator[Broken]:
        by_key = {(row.reporter_id, row.year): row for row in self.rows}
        for row in self.rows:
            before = by_key.get((row.reporter_id, row.year - 1))
            if before is not None:
                yield from broken_over_years(_printed(before), _printed(row))

    def _over_levels(self) -> Iterator[Broken]:
        by_key = {(row.reporter_id, row.year): row for row in self.rows}
        for number, prefecture in enumerate(self.province.prefectures):
            for year in range(SUMS_FROM, YEARS[-1] + 1):
                parent = by_key.get((government_of(prefecture), year))
                keys = [(government_of(each), year) for each in self.province.counties_of(prefecture, year)]
                if parent is not None and all(key in by_key for key in keys):
                    children = [_printed(by_key[key]) for key in keys]
                    yield from broken_over_levels(_printed(parent), children, is_sum=number in SUMMING)

    def write(self, folder: Path) -> None:
        """The files in `folder`."""
        written: dict[str, bytes] = {}
        for each in self.documents:
            path = folder / each.file
            path.parent.mkdir(parents=True, exist_ok=True)
            # The same bytes: a Word file written twice has two dates in it.
            first = written.get(each.doc_id.removesuffix("-same"))
            written[each.doc_id] = first if first is not None else each.written()
            path.write_bytes(written[each.doc_id])
            if (beside := each.attachment()) is not None:
                path.with_name(beside[0]).write_bytes(beside[1])


def _printed(row: MadeRow) -> Printed:
    return Printed.of(row.doc_ids[0], row.facts)


def make_country(
    counties: int = 50, seed: int = 0, planted: float = 0.03, kinds: Sequence[str] = tuple(PLANTS)
) -> MadeCountry:
    """The country; `planted` is the share of reports with an error, of these kinds by turns.

    The same seed gives the same country.
    """
    province = made_province(counties, seed)
    random = Random(f"country {seed}")
    reporters = reporters_of(province, counties)
    plans = make_plans(random, province, reporters, planted, kinds)
    country = MadeCountry(province, list(plans.values()))
    country.documents.extend(documents_of(province, reporters, plans, seed))
    return country
