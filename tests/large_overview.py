"""An overview of as many issuers and years as a country has: size of the page, seconds, memory.

    gongkai extract gold/samples --out RUN --strategy rules
    python tests/large_overview.py --run RUN --issuers 2800 --years 15 --out page.html

The reports of RUN are printed again for every issuer and year with other figures, some with an
identity broken, some missing, some in several versions. Rows are made while the page is written.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from pipeline.fact import Evidence, Fact, Finding, Record, Template
from pipeline.overview.collect import issuer_year, variables
from pipeline.overview.content import overview_content
from pipeline.overview.material import IssuerYear, Material, Paper
from pipeline.overview.page import write_overview
from pipeline.panel.model import PanelRow, Source, Unit, Version
from pipeline.runs.record import read_records

LAST_YEAR = 2024
_MISSING, _FLAGGED, _VERSIONS = 0.06, 0.05, 0.04
_PREFECTURES, _PROVINCES = 340, 31


def form_of(year: int) -> Template:
    if year < 2019:
        return "narrative"
    return "table2019" if year < 2021 else "table2021"


def unit_of(number: int) -> Unit:
    prefecture = number % _PREFECTURES
    province = prefecture % _PROVINCES
    codes = (f"{10 + province}0000", f"{10 + province}{prefecture % 99 + 1:02d}00")
    code = f"{codes[1][:4]}{number // _PREFECTURES + 20:02d}"
    names = (f"第{province + 1}省", f"第{prefecture + 1}市", f"第{number + 1}县")
    return Unit(
        f"{code}-{number}", code, names[2], "county", names[0], codes[0], names[1], codes[1], names[2], code
    )


def changed(random: Random, fact: Fact, shift: int) -> Fact:
    place = fact.evidence
    moved = {"start": place.start + shift, "end": place.end + shift}
    if isinstance(fact.value, str) or fact.status != "value" or random.random() < 0.5:
        return fact.model_copy(update={"evidence": place.model_copy(update=moved)})
    value = int(random.paretovariate(0.8))
    moved["end"] = moved["start"] + len(str(value))
    evidence = Evidence.model_construct(**{**place.__dict__, **moved})
    return fact.model_copy(update={"value": value, "raw": str(value), "evidence": evidence})


def broken(random: Random, facts: Sequence[Fact]) -> tuple[Finding, ...]:
    operands = [fact for fact in facts if fact.path.startswith("requests.granted.")] or list(facts[:2])
    expected, printed = random.randint(0, 400), random.randint(0, 400)
    parts = " + ".join(fact.raw for fact in operands[:-1])
    message = f"requests.row_total, 予以公开: {parts} = {expected} by applicant, but 总计 prints {printed}"
    return (
        Finding(
            rule="requests.row_total",
            severity="error",
            paths=tuple(fact.path for fact in operands),
            expected=expected,
            printed=printed,
            cause="report",
            message=message,
            at="granted",
            evidence=tuple(fact.evidence for fact in operands),
        ),
    )


def rows(
    run: Path, templates: dict[Template, list[Record]], issuers: int, years: int
) -> Iterator[IssuerYear]:
    random = Random(1)
    for number in range(issuers):
        unit = unit_of(number)
        for year in range(LAST_YEAR - years + 1, LAST_YEAR + 1):
            if random.random() >= _MISSING:
                made = _row(random, templates, unit, year)
                # Excerpts are of the printed text, though not of the figures that were changed.
                yield replace(made, paper=Paper(made.record.doc_id, made.record.sha256, run))


def _row(random: Random, templates: dict[Template, list[Record]], unit: Unit, year: int) -> IssuerYear:
    base = random.choice(templates[form_of(year)])
    shift = random.randint(-200, 400)
    facts = tuple(changed(random, fact, max(0, shift)) for fact in base.facts)
    is_flagged = random.random() < _FLAGGED
    doc_id = f"{unit.code}_{year}"
    record = base.model_copy(
        update={
            "doc_id": doc_id,
            "file": f"{year}/{doc_id}.html",
            "facts": facts,
            "findings": broken(random, facts) if is_flagged else (),
            "status": "flagged" if is_flagged else "ok",
        }
    )
    source = Source(
        "made",
        record,
        year,
        unit,
        f"{unit.name}人民政府",
        "人民政府",
        "government",
        "county",
        f"{unit.unit_id}:人民政府",
    )  # type: ignore[arg-type]
    versions = [Version(source, "chosen", doc_id, "the only document read")]
    if random.random() < _VERSIONS:
        versions.append(Version(replace(source, run="other"), "duplicate", doc_id, "same content"))
    return issuer_year(PanelRow(f"{unit.unit_id}:人民政府", year, source, tuple(versions)), record)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--issuers", type=int, default=2800)
    parser.add_argument("--years", type=int, default=15)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    templates: dict[Template, list[Record]] = {}
    for record in read_records(options.run):
        if record.templates.document is not None and len(record.facts) > 20:
            templates.setdefault(record.templates.document, []).append(record)
    count = options.issuers * options.years
    started = time.monotonic()
    made = rows(options.run, templates, options.issuers, options.years)
    content = overview_content(Material(("made",), variables(), made, count))
    path = write_overview(content, options.out)
    seconds = time.monotonic() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    details = sum(map(len, content.details)) / 1e6
    rows_made, size = len(content.index["columns"]["year"]), path.stat().st_size / 1e6
    print(f"{rows_made} rows, {size:.1f} MB ({details:.1f} MB packed evidence)")
    print(f"{seconds:.0f} s with the making of the reports, {memory:.0f} MiB at the most")


if __name__ == "__main__":
    main()
