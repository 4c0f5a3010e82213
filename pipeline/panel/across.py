"""Identities across years and levels: what one year's report carries on, the next one takes up.

| rule | holds | fields, and the forms that have them |
|---|---|---|
| `year.carry` | carried_in(t) = carried_out(t−1) | each applicant; forms of 2019 and 2021 alike |
| `year.in_force` | in_force(t) = in_force(t−1) + issued(t) − repealed(t) | both kinds of documents; 2021 |
| `year.items` | items_previous(t) = items_previous(t−1) + items_change(t−1) | five items; 2019 |
| `level.sum` | parent = sum of its children | governments; forms of 2019 and 2021 |

Both sides are table cells that mean the same in both documents. Carried requests are the same rows
in both forms, so that 2020→2021 is assessed; 对外公开总数量 of 2019 is not 现行有效件数 of 2021, and no
figure of the prose or of the statistics table (2018→2019) has a counterpart in the other form that an
identity could rest on. A missing, blank, `/`, illegible or approximate operand makes the identity not
assessable, never zero; so does a missing year, or a child without a report.

The finding stands at the later report (at the parent of `level.sum`) with the evidence of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.panel.across_levels import over_levels
from pipeline.panel.across_years import over_years
from pipeline.panel.model import PanelRow
from pipeline.panel.sides import AcrossFinding, OtherPlace, Tally
from pipeline.panel.units import GB_2260, Places

__all__ = ["RULES", "Across", "AcrossFinding", "OtherPlace", "assess_across", "check_across"]

RULES = ("year.carry", "year.in_force", "year.items", "level.sum")


@dataclass(frozen=True, slots=True)
class Across:
    """Findings, and how many identities of each rule could be assessed and how many could not.

    Not assessable are those of documents that both have the form: an operand cannot be reckoned with.
    """

    findings: tuple[AcrossFinding, ...]
    assessed: Mapping[str, int]
    not_assessable: Mapping[str, int]


def check_across(rows: Iterable[PanelRow], *, places: Places = GB_2260) -> tuple[AcrossFinding, ...]:
    """The findings across years and levels over the chosen reports of rows."""
    return assess_across(rows, places=places).findings


def assess_across(rows: Iterable[PanelRow], *, places: Places = GB_2260) -> Across:
    """The same with counts. Each record is read once for its years, governments once more for levels.

    `places` tells which places lie below one as of the year, and what has changed of a place.
    """
    ordered = sorted(rows, key=lambda row: (row.reporter_id, row.year))
    tally = Tally()
    findings = [*over_years(ordered, places, tally), *over_levels(ordered, places, tally)]
    return Across(tuple(findings), dict(tally.assessed), dict(tally.not_assessable))
