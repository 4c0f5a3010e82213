"""The files of a country that does not exist: figures drawn year after year, printed, copied, altered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from made_figures import Books, Cells, added, draw_tables, opened
from made_places import YEARS, MadeProvince
from made_plans import MadeReporter, Plan, Plans, government_of, sums
from made_planting import PLANTS, Page
from made_prints import (
    FORMS,
    ISSUED,
    MAIL,
    ONLINE,
    Imprint,
    draw_prose,
    print_report,
    statistics_alone,
    without_statistics,
)
from made_reports import MadeReport, statistics_cells
from report_carriers import TEXT_CARRIERS

from evals.benchmarks.table_carriers import Expected
from pipeline.metadata.divisions import level_of

Role = Literal["chosen", "duplicate", "superseded", "other_carrier", "failed"]

_ATTACHED_AS = ("Word", "Excel")
_COPY_ROLES: Mapping[str, Role] = {"same": "duplicate", "cut": "failed", "before": "superseded"}


@dataclass(frozen=True)
class MadeDocument:
    """A file of the country: its name below the folder, the report in it, and its role in the panel.

    Of documents with the same report the panel may choose any, not just the one with the role `chosen`.
    """

    doc_id: str
    file: str
    plan: Plan
    report: MadeReport
    role: Role
    carrier: str
    attached_as: str | None = None

    def written(self) -> bytes:
        """The file, cut off where it is to fail; without the table that is attached to it."""
        report = self.report if self.attached_as is None else without_statistics(self.report)
        written = TEXT_CARRIERS[self.carrier].write(report)
        return written[: len(written) * 2 // 5] if self.role == "failed" else written

    def attachment(self) -> tuple[str, bytes] | None:
        """Name and content of the file beside it."""
        if self.attached_as is None:
            return None
        carrier = TEXT_CARRIERS[self.attached_as]
        return f"{self.doc_id}_附件1{carrier.ending}", carrier.write(statistics_alone(self.report))


def documents_of(
    province: MadeProvince,
    reporters: Sequence[MadeReporter],
    plans: Plans,
    seed: int,
) -> Iterator[MadeDocument]:
    """Year after year, counties before the prefectures that count them together."""
    books: dict[str, Books] = {}
    for year in YEARS:
        printed: dict[str, Cells] = {}
        for reporter in reporters:
            plan = plans.get((reporter.reporter_id, year))
            if plan is None:
                continue
            random = Random(f"figures {seed} {reporter.reporter_id} {year}")
            page = _page(random, province, plan, books, printed)
            if plan.plant is not None:
                PLANTS[plan.plant].alter(page, random)
            books[reporter.reporter_id].close(page.cells)
            printed[reporter.reporter_id] = page.cells
            yield from _files(plan, page, random)


def _page(
    random: Random,
    province: MadeProvince,
    plan: Plan,
    books: dict[str, Books],
    printed: Mapping[str, Cells],
) -> Page:
    reporter, template = plan.reporter, plan.template
    own = books.setdefault(reporter.reporter_id, opened(random, reporter.size))
    # Cases are counted on every form; a report without tables only prints fewer of them.
    forms = FORMS.get(template, FORMS["table2019"])
    if reporter.place in province.prefectures and sums(province, reporter.place, plan.year):
        below = province.counties_of(reporter.place, plan.year)
        cells = added([printed[government_of(place)] for place in below], *forms)
    else:
        cells = draw_tables(random, own, reporter.size, *forms)
    prose = draw_prose(random, template, cells, reporter.size)
    said = {
        "proactive.total": prose.total,
        "proactive.channel.website": prose.website,
        "proactive.channel.wechat": prose.wechat,
        "engagement.interpretations": prose.interpretations,
        "capacity.trainings": prose.trainings,
        "capacity.trainees": 40 * prose.trainings,
        "requests.new_received.total": 0,
        "remedies.review.total": 0,
        **prose.figures,
    }
    statistics = _statistics(random, said) if template == "stat2014" else {}
    return Page(template, _imprint(random, plan), prose, cells, statistics)


def _statistics(random: Random, said: Mapping[str, int]) -> Cells:
    cells = statistics_cells(random, said)
    if ISSUED in said:
        cells["normative_documents_issued"] = Expected(said[ISSUED], "value")
    if ONLINE in said:
        ways = {"online": said[ONLINE], "mail": said[MAIL], "fax": 0, "in_person": 0}
        cells |= {f"received_{way}": Expected(n, "value") for way, n in ways.items()}
    return cells


def _imprint(random: Random, plan: Plan) -> Imprint:
    reporter, year = plan.reporter, plan.year
    now = reporter.place.name_in(year)
    code = reporter.place.name_in(year - 1).code if plan.has_old_code else now.code
    is_early = reporter.issuer_type == "department"  # departments have until the end of January
    month = "01" if is_early else random.choice(("02", "03"))
    if "before" in plan.copies and random.random() < 0.5:
        month = "07"  # altered after the deadline
    return Imprint(
        issuer=f"{now.name}{reporter.body}",
        place=now.name,
        code=code,
        year=year,
        period_start=f"{year}-01-01",
        period_end=f"{year}-12-31",
        signed_on=f"{year + 1}-01-{random.randint(10, 18)}",
        published_on=f"{year + 1}-{month}-{random.randint(20, 28)}",
        issuer_type=reporter.issuer_type,
        level="township" if reporter.issuer_type == "township" else level_of(code),
    )


def _files(plan: Plan, page: Page, random: Random) -> Iterator[MadeDocument]:
    """The files of a report: none, one, or one with its copies and its earlier version."""
    if plan.fate == "missing":
        return
    wording = random.random()
    report = _print(wording, page)
    stem = f"{plan.reporter.place.unit_id}-{plan.reporter.issuer_type[0]}-{plan.year}"
    ending = TEXT_CARRIERS[plan.carrier].ending
    attached = random.choice(_ATTACHED_AS) if plan.is_attached else None
    role: Role = "failed" if plan.fate == "cut" else "chosen"
    yield MadeDocument(stem, f"site1/{plan.year}/{stem}{ending}", plan, report, role, plan.carrier, attached)
    for copy in plan.copies:
        name, carrier = f"{stem}-{copy[:4].strip(', ')}", copy
        # Two pages in other styles are one kind of file.
        role = "duplicate" if copy[:4] == plan.carrier[:4] else "other_carrier"
        if copy in ("same", "cut", "before"):
            role, carrier = _COPY_ROLES[copy], "PDF, ruled" if copy == "cut" else plan.carrier
        other = _print(wording, _before(page, random)) if copy == "before" else report
        file = f"site2/{plan.year}/{name}{TEXT_CARRIERS[carrier].ending}"
        yield MadeDocument(name, file, plan, other, role, carrier)


def _print(wording: float, page: Page) -> MadeReport:
    """The same wording gives the same sentences, whatever the figures."""
    random = Random(f"wording {wording}")
    return print_report(random, page.template, page.imprint, page.prose, page.cells, page.statistics)


def _before(page: Page, random: Random) -> Page:
    """The report as it was first published: two figures differ, and every identity holds as it does later."""
    before = deepcopy(page)
    before.prose.interpretations += 1
    if page.template in FORMS:
        before.add("proactive.licensing.decisions", random.randint(1, 40))
    if page.statistics:
        before.add("statistics.interpretations", 1)
    before.imprint = replace(page.imprint, published_on=f"{page.imprint.year + 1}-01-19")
    return before
