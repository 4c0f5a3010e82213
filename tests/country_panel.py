"""The panel of a country that does not exist, beside the truth: cells, versions, findings.

    python tests/country_panel.py --out DIR [--counties 50] [--seed 1] [--planted 0.03]

Writes the files of `made_country` into DIR/reports, reads them with `gongkai extract --strategy
rules` into DIR/run, makes the panel and compares: facts of every document, every cell of the panel,
places, roles of versions, findings. What differs is printed; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from country_cells import Cell, expected_cells, printed_as
from made_country import MadeCountry, make_country
from made_identities import Broken
from made_planting import PLANTS
from made_reports import ExpectedFact

from pipeline.export.tables import RunTables
from pipeline.fact import Fact, Finding
from pipeline.panel.versions import unplaced

_SHOWN = 12
# What a run notes of a file; no identity.
_NO_IDENTITIES = ("run.duplicate", "read.note")


@dataclass
class Count:
    """How many of something were compared, and what was not as it should be."""

    what: str
    compared: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def equal(self) -> int:
        """Those that are as they should be."""
        return self.compared - len(self.wrong)


@dataclass
class Comparison:
    """Counts by what is compared; false alarms by rule, those of no known cause."""

    counts: list[Count] = field(default_factory=list)
    alarms: Counter[str] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """Whether the panel is the truth and no finding came without cause."""
        return not any(count.wrong for count in self.counts) and not self.alarms


def extract(folder: Path, run: Path, concurrency: int) -> None:
    """The command, as a user gives it. It leaves with 1 where documents have failed, as here some must."""
    gongkai = Path(sys.executable).with_name("gongkai")
    command = [gongkai, "extract", folder, "--out", run, "--strategy", "rules"]
    command += ["--concurrency", str(concurrency)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"gongkai extract: exit code {done.returncode}\n{done.stderr}")


def compare(country: MadeCountry, run: Path) -> Comparison:
    """A run of the country's files against the truth."""
    comparison = Comparison()
    tables = RunTables([run], places=country.province.table())
    _documents(country, tables, comparison)
    _panel(country, tables, comparison)
    _versions(country, tables, comparison)
    _findings(country, tables, comparison)
    return comparison


def _documents(country: MadeCountry, tables: RunTables, comparison: Comparison) -> None:
    """What extraction alone gives: facts of every document that can be read, and its place."""
    facts, places = Count("facts read from documents"), Count("places of documents")
    failed = Count("broken files that failed")
    by_id = {source.doc_id: source for source in tables.sources}
    for document in country.documents:
        source = by_id.get(document.doc_id)
        if document.role == "failed":
            failed.compared += 1
            if source is None or source.status != "failed":
                failed.wrong.append(document.doc_id)
            continue
        truth = document.report.expected
        facts.compared += len(truth)
        places.compared += 1
        found = Counter(map(_as_expected, source.record.facts)) if source else Counter()
        facts.wrong.extend(f"{document.doc_id}: {each}" for each in _differences(truth, found))
        unit = source.unit if source else None
        if unit is None or unit.unit_id != document.plan.reporter.place.unit_id:
            places.wrong.append(document.doc_id)
    comparison.counts += [facts, places, failed]


def _as_expected(fact: Fact) -> ExpectedFact:
    return ExpectedFact(fact.path, fact.source, str(fact.value), fact.status, fact.bound)


def _differences(truth: Iterable[ExpectedFact], found: Counter[ExpectedFact]) -> Iterator[str]:
    """One line for a fact that is missing or read otherwise, and for one that is not printed."""
    printed = Counter(truth)
    more = {(each.path, each.source): each for each in found - printed}
    for each in sorted(printed - found):
        read = more.pop((each.path, each.source), None)
        yield f"{each.path} ({each.source}) prints {each.value!r}, read {read.value if read else None!r}"
    yield from (f"{each.path} ({each.source}) is not printed, read {each.value!r}" for each in more.values())


def _panel(country: MadeCountry, tables: RunTables, comparison: Comparison) -> None:
    """Every row, and every cell with a truth: who and where, fields as printed, variables, rates."""
    rows, cells = Count("rows: issuers and years"), {kind: Count(kind) for kind in Cell.KINDS}
    truth = {(row.reporter_id, row.year): row for row in country.rows}
    spec, panel = tables.table("panel")
    columns = [column.name for column in spec.columns]
    found = {(str(row["reporter_id"]), int(str(row["year"]))): row for row in panel}
    rows.compared = len(truth.keys() | found.keys())
    rows.wrong.extend(map(str, sorted(truth.keys() ^ found.keys())))
    for key in sorted(truth.keys() & found.keys()):
        for cell in expected_cells(country, truth[key], columns):
            count = cells[cell.kind]
            count.compared += 1
            given = printed_as(found[key][cell.column])
            if given not in cell.values:
                count.wrong.append(f"{key[0]} {key[1]} {cell.column}: {given!r}, not {cell.values[0]!r}")
    comparison.counts += [rows, *cells.values()]


def _versions(country: MadeCountry, tables: RunTables, comparison: Comparison) -> None:
    """Roles, and which document counts. Of the same report in several files any may."""
    count = Count("roles of documents")
    roles: dict[str, str] = {source.doc_id: "unplaced" for source in tables.sources}
    for row in tables.rows:
        roles |= {version.source.doc_id: version.role for version in row.versions}
    outside = (each.source for each in unplaced(tables.sources))
    roles |= {source.doc_id: "failed" for source in outside if source.status == "failed"}
    alike = {doc_id: row.doc_ids for row in country.rows for doc_id in row.doc_ids}
    truth = {document.doc_id: document.role for document in country.documents}
    for doc_id, role in truth.items():
        count.compared += 1
        group = alike.get(doc_id, (doc_id,))
        given = sorted(roles.get(each, "missing") for each in group)
        if given != sorted(truth[each] for each in group):
            count.wrong.append(f"{doc_id}: {roles.get(doc_id)}, not {role}")
    comparison.counts.append(count)


def _findings(country: MadeCountry, tables: RunTables, comparison: Comparison) -> None:
    within, across = Count("findings within documents"), Count("findings across documents")
    first = {doc_id: row.doc_ids[0] for row in country.rows for doc_id in row.doc_ids}
    inside = [(source.doc_id, each) for source in tables.sources for each in source.record.findings]
    between = [(first.get(each.doc_id, each.doc_id), each.finding) for each in tables.across]
    found: set[Broken] = set()
    for count, truth, given in (
        (within, country.broken_within, inside),
        (across, country.broken_across, between),
    ):
        broken = Counter(_broken(doc_id, each) for doc_id, each in given if each.rule not in _NO_IDENTITIES)
        count.compared = len(truth)
        count.wrong.extend(str(each) for each in sorted(truth - broken.keys()))
        for each, times in (broken - Counter(truth)).items():
            comparison.alarms[each.rule] += times
        found |= broken.keys()
    comparison.counts += [within, across, _plants(country, found)]


def _broken(doc_id: str, finding: Finding) -> Broken:
    return Broken.of(doc_id, finding.rule, finding.paths)


def _plants(country: MadeCountry, found: set[Broken]) -> Count:
    """An error is found when all findings that must come of it have come, its own rule's among them."""
    count = Count("planted errors found")
    every = country.broken_within | country.broken_across
    for row in country.rows:
        if row.plan.plant is None:
            continue
        count.compared += 1
        truth = {each for each in every if each.doc_id == row.doc_ids[0]}
        rules = {each.rule for each in truth}
        if PLANTS[row.plan.plant].rule not in rules or not truth <= found:
            count.wrong.append(f"{row.doc_ids[0]}: {row.plan.plant}")
    return count


def report(comparison: Comparison) -> str:
    """The table, then what differs."""
    lines = [
        f"{'':34}{'compared':>10}{'equal':>10}{'wrong':>8}",
        *(
            f"{count.what:34}{count.compared:>10,}{count.equal:>10,}{len(count.wrong):>8,}"
            for count in comparison.counts
        ),
    ]
    alarms = ", ".join(f"{rule} {n}" for rule, n in sorted(comparison.alarms.items())) or "none"
    lines.append(f"{'false alarms':34}{alarms}")
    for count in comparison.counts:
        lines += [f"{count.what}: {each}" for each in count.wrong[:_SHOWN]]
        if len(count.wrong) > _SHOWN:
            lines.append(f"{count.what}: and {len(count.wrong) - _SHOWN:,} more")
    return "\n".join(lines) + "\n"


def summary(country: MadeCountry) -> str:
    """What the country has."""
    roles = Counter(document.role for document in country.documents)
    forms = Counter(row.plan.template for row in country.rows)
    renamed = sum(len(place.names) > 1 for place in country.province.counties)
    merged = sum(place.successor is not None for place in country.province.counties)
    planted = Counter(row.plan.plant for row in country.rows if row.plan.plant is not None)
    return (
        f"{len(country.documents):,} documents: {_listed(roles)}\n"
        f"{len(country.rows):,} issuers and years: {_listed(forms)}\n"
        f"{renamed} counties renamed, {merged} merged\n"
        f"{planted.total()} errors planted\n"
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in counts.most_common())


def main() -> None:
    """Make, read, compare, print."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--out", type=Path, required=True, help="folder for the reports and the run")
    parser.add_argument("--counties", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", type=float, default=0.03, help="share of reports with an error")
    parser.add_argument("--concurrency", type=int, default=2, help="processes that read")
    options = parser.parse_args()
    times = [time.monotonic()]
    country = make_country(options.counties, options.seed, options.planted)
    country.write(options.out / "reports")
    times.append(time.monotonic())
    extract(options.out / "reports", options.out / "run", options.concurrency)
    times.append(time.monotonic())
    comparison = compare(country, options.out / "run")
    times.append(time.monotonic())
    made, read, compared = (later - earlier for earlier, later in pairwise(times))
    sys.stdout.write(f"{summary(country)}\n{report(comparison)}")
    sys.stdout.write(f"made in {made:.0f} s, read in {read:.0f} s, compared in {compared:.0f} s\n")
    raise SystemExit(0 if comparison.holds else 1)


if __name__ == "__main__":
    main()
