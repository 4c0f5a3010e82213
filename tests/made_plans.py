"""What becomes of each body's report on each year: its form, its files, its planted error, its fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from made_places import YEARS, MadePlace, MadeProvince
from made_planting import PLANTS
from made_prints import FORMS
from made_reports import MadeTemplate

Fate = Literal["printed", "missing", "cut"]

SUMMING = (0, 4)
"""Prefectures, by number, whose government counts its counties together."""
SUMS_FROM = 2019
_TOWNS = ("石桥镇", "柳河镇", "南塘镇", "东岗乡", "沙坪镇", "北岭乡", "新渡镇", "桃溪乡")
_DEPARTMENTS = ("教育局", "财政局", "交通运输局", "卫生健康局", "水利局", "民政局", "农业农村局", "林业局")
_CARRIERS = ("text", "markdown", "page, modern", "page, old", "page, Word")
_RARE_CARRIERS = ("PDF, ruled", "Word")
_COPIED_AS = ("page, modern", "text", "markdown")


@dataclass(frozen=True)
class MadeReporter:
    """A body: its place, what its name has behind the place's, and how large it is."""

    place: MadePlace
    body: str
    issuer_type: str
    size: int

    @property
    def reporter_id(self) -> str:
        """As in the panel."""
        return f"{self.place.unit_id}:{self.body}"

    @property
    def years(self) -> tuple[int, ...]:
        """The years in which its place is there."""
        return tuple(year for year in YEARS if self.place.is_there(year))


@dataclass
class Plan:
    """What becomes of a body's report on a year."""

    reporter: MadeReporter
    year: int
    template: MadeTemplate
    carrier: str
    fate: Fate = "printed"
    plant: str | None = None
    is_attached: bool = False
    has_old_code: bool = False
    copies: tuple[str, ...] = ()
    """Further files of it: `same` bytes, a name of TEXT_CARRIERS, `before` (altered later), `cut`."""


Plans = Mapping[tuple[str, int], Plan]
"""By reporter and year."""


def government_of(place: MadePlace) -> str:
    """The reporter of a place's government."""
    return f"{place.unit_id}:人民政府"


def make_plans(
    random: Random,
    province: MadeProvince,
    reporters: Sequence[MadeReporter],
    share: float,
    kinds: Sequence[str],
) -> Plans:
    """A plan for each body and year; a `share` of the printed reports get an error, of `kinds` by turns."""
    plans = {
        (reporter.reporter_id, year): _plan(random, province, reporter, year)
        for reporter in reporters
        for year in reporter.years
    }
    _plant(random, province, plans, share, kinds)
    return plans


def reporters_of(province: MadeProvince, counties: int) -> list[MadeReporter]:
    """Governments of counties, then of prefectures; then departments and townships of every eighth county."""
    governments = [MadeReporter(place, "人民政府", "government", 4) for place in province.counties]
    above = [MadeReporter(place, "人民政府", "government", 9) for place in province.prefectures]
    others = []
    for turn, place in enumerate(province.counties[:counties:7]):
        others.append(MadeReporter(place, _DEPARTMENTS[turn % len(_DEPARTMENTS)], "department", 2))
        others.append(MadeReporter(place, f"{_TOWNS[turn % len(_TOWNS)]}人民政府", "township", 1))
    return [*governments, *above, *others]


def sums(province: MadeProvince, place: MadePlace, year: int) -> bool:
    """Whether a place is one that sums, or is summed, in a year."""
    prefecture = place.prefecture or place.unit_id
    return year >= SUMS_FROM and prefecture in {province.prefectures[number].unit_id for number in SUMMING}


def _plan(random: Random, province: MadeProvince, reporter: MadeReporter, year: int) -> Plan:
    is_summed = reporter.issuer_type == "government" and sums(province, reporter.place, year)
    template = _template(random, year, is_summed)
    carrier = random.choice(_RARE_CARRIERS if random.random() < 0.05 else _CARRIERS)
    plan = Plan(reporter, year, template, carrier)
    plan.has_old_code = year == _renamed_in(reporter.place, year) and random.random() < 0.5
    drawn = random.random()
    if drawn < 0.02:
        plan.fate = "missing"
    elif drawn < 0.03:
        plan.fate, plan.carrier = "cut", "PDF, ruled"
    elif template == "stat2014" and random.random() < 0.4:
        plan.is_attached = plan.carrier not in _RARE_CARRIERS
    else:
        plan.copies = _copies(random, plan)
    return plan


def _template(random: Random, year: int, is_summed: bool) -> MadeTemplate:
    """The form of the year; some keep an older one for a year or more."""
    late = not is_summed and random.random() < 0.1
    if year <= 2013:
        return "narrative"
    if year <= 2018:
        return random.choice(("narrative", "stat2014"))
    if year <= 2020:
        return "narrative" if late and year == 2019 else "table2019"
    return random.choice(("table2019", "hybrid")) if late else "table2021"


def _renamed_in(place: MadePlace, year: int) -> int | None:
    """The year itself where the place has a new code in it."""
    return year if year > place.first_year and place.name_in(year) != place.name_in(year - 1) else None


def _copies(random: Random, plan: Plan) -> tuple[str, ...]:
    drawn = random.random()
    if drawn < 0.04:
        return ("same",)
    if drawn < 0.08:
        return (random.choice([carrier for carrier in _COPIED_AS if carrier != plan.carrier]),)
    if drawn < 0.11:
        return ("before",)
    return ("cut",) if drawn < 0.12 else ()


def _plant(
    random: Random,
    province: MadeProvince,
    plans: Plans,
    share: float,
    kinds: Sequence[str],
) -> None:
    """Choose the reports with an error: kinds by turns, each at a report that can have it."""
    printed = [plan for plan in plans.values() if plan.fate == "printed"]
    for turn in range(round(len(printed) * share)):
        kind = kinds[turn % len(kinds)]
        able = [plan for plan in printed if plan.plant is None and _can_have(kind, plan, province, plans)]
        if able:
            random.choice(able).plant = kind


def _can_have(kind: str, plan: Plan, province: MadeProvince, plans: Plans) -> bool:
    needs = PLANTS[kind].needs
    before = plans.get((plan.reporter.reporter_id, plan.year - 1))
    has_before = before is not None and before.fate == "printed"
    forms, old = FORMS.get(plan.template), FORMS.get(before.template) if before is not None else None
    if sums(province, plan.reporter.place, plan.year) and plan.reporter.issuer_type == "government":
        return needs == "sum" and _all_printed(province, plan, plans)
    if needs == "sum":
        return False
    if needs in ("any", "statistics", "prose"):
        return needs == "any" or (plan.template == "stat2014") == (needs == "statistics")
    if forms is None or needs == "tables":
        return forms is not None
    if not has_before or old is None:
        return False
    wanted = {"items": "table2019", "in_force": "table2021"}.get(needs)
    return wanted is None or forms[0] == old[0] == wanted


def _all_printed(province: MadeProvince, plan: Plan, plans: Plans) -> bool:
    """Whether a prefecture and all counties below it have reports."""
    counties = province.counties_of(plan.reporter.place, plan.year)
    keys = [(government_of(place), plan.year) for place in counties]
    return bool(keys) and all(plans[key].fate == "printed" for key in keys)
