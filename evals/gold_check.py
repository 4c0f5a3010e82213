"""Whether gold can be trusted: form, hashes, prints, and the identities that the report breaks.

A gold file may not be wrong quietly: a print that is not in the document, or a sum that
does not hold and is not listed under `findings`, is more often a slip of the annotator
than one of the report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evals.gold import GoldDocument
from evals.gold_drafts import said_of_draft
from evals.gold_file import CellEntry, GoldFile, GoldMeta, read_gold_file
from evals.occurrences import SearchText
from evals.values import kind_of
from pipeline import read as reading
from pipeline.checks.statistics import SUMS
from pipeline.errors import DocumentError, GoldError
from pipeline.numerals import find_numerals
from pipeline.schema import APPLICANTS, OUTCOMES, outcome_rows, request_rows

Severity = Literal["error", "note"]
NO_COUNT_RULES = ("proactive.non_negative", "proactive.integer")
_UNSAID = "is still draft: every place in it is filled, but nobody has said that it is finished"
NOT_AT_HAND = "is not at hand: hash and prints not checked"
CHECKED_RULES = (
    *("requests.row_total", "requests.outcome_total", "requests.balance", "remedies.total"),
    "stat2014.total",
)


@dataclass(frozen=True, slots=True)
class GoldProblem:
    """What is wrong with a gold file, at which key. A `note` does not fail the check."""

    file: str
    key: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message}"


@dataclass(frozen=True, slots=True)
class Identities:
    """Identities of the tables by `rule@place`: those that break and those that hold."""

    broken: frozenset[str]
    holding: frozenset[str]


def check_gold(folder: Path, documents_dir: Path | None = None) -> list[GoldProblem]:
    """Every problem of the gold files in `folder`, in the order of the files.

    With `documents_dir`, hashes and prints are compared with the documents found there.
    Raises GoldError when the folder holds no gold file.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise GoldError(f"{folder}: no gold file; needed are files named <doc_id>.yaml")
    problems: list[GoldProblem] = []
    for path in paths:
        if (unfinished := said_of_draft(path)) is not None:
            problems.append(GoldProblem(path.name, "status", unfinished))
            continue
        try:
            gold = read_gold_file(path)
        except GoldError as error:
            problems.append(GoldProblem(path.name, "form", str(error).removeprefix(f"{path}: ")))
            continue
        if gold.status == "draft":
            problems.append(GoldProblem(path.name, "status", _UNSAID, "note"))
        problems.extend(_check_file(path.name, gold))
        if documents_dir is not None:
            problems.extend(_check_document(path.name, gold, documents_dir / gold.file))
    return problems


def check_one(name: str, gold: GoldFile, text: SearchText | None = None) -> list[GoldProblem]:
    """Every problem of one gold file. With the canonical `text` of its document prints are compared too."""
    prints = () if text is None else _check_prints(name, gold, text)
    return [*_check_file(name, gold), *prints]


def _check_file(name: str, gold: GoldFile) -> Iterator[GoldProblem]:
    missing = [key for key in GoldMeta.model_fields if key not in gold.meta.model_fields_set]
    if missing:
        yield GoldProblem(name, "meta", f"{', '.join(missing)} not annotated; write null where not printed")
    yield from _check_rows(name, gold)
    yield from _check_values(name, gold)
    yield from _check_findings(name, gold)
    if gold.prefilled:
        yield GoldProblem(name, "prefilled", "began as a program's output; scores repeat it", "note")


def _check_rows(name: str, gold: GoldFile) -> Iterator[GoldProblem]:
    form = gold.templates.requests
    if (form is None) != (not gold.requests):
        yield GoldProblem(name, "requests", f"templates.requests is {form}, rows given: {len(gold.requests)}")
    if (gold.templates.remedies is None) != (not gold.remedies):
        yield GoldProblem(name, "remedies", f"templates.remedies is {gold.templates.remedies}")
    if (gold.templates.proactive is None) != (not gold.proactive):
        yield GoldProblem(name, "proactive", f"templates.proactive is {gold.templates.proactive}")
    if form not in ("table2019", "table2021"):
        return
    expected = [row.key for row in request_rows(form)]
    for row in gold.requests:
        if row not in expected:
            yield GoldProblem(name, f"requests.{row}", f"is no row of {form}")
    lacking = [row for row in expected if row not in gold.requests]
    if gold.requests and lacking:
        yield GoldProblem(name, "requests", f"{form} also has {', '.join(lacking)}", "note")


def _check_values(name: str, gold: GoldFile) -> Iterator[GoldProblem]:
    """Slips of the pen: counts below zero, a value that is not the one printed, a line twice."""
    is_printed_so = any(finding.startswith(NO_COUNT_RULES) for finding in gold.findings)
    for fact in GoldDocument(gold, Path(name)).facts:
        is_count = fact.source == "table" and kind_of(fact.path) == "count"
        if is_count and not is_printed_so and not _is_whole(fact.value):
            said = f"{fact.value} is no count; if it is printed so, list proactive.non_negative or .integer"
            yield GoldProblem(name, fact.path, said)
    lines = [(line.path, line.value, line.status, line.raw, line.near, line.label) for line in gold.narrative]
    for number, line in enumerate(gold.narrative):
        key = f"narrative.{number} ({line.path})"
        if lines[number] in lines[:number]:
            yield GoldProblem(name, key, "stands twice; a figure stated twice counts once")
        printed = [numeral.value for numeral in find_numerals(line.raw)]
        is_count = kind_of(line.path) == "count" and line.status == "value"
        if is_count and len(printed) == 1 and printed[0] != line.value:
            yield GoldProblem(name, key, f"value is {line.value}, but raw {line.raw!r} says {printed[0]}")


def _is_whole(value: int | float | str | None) -> bool:
    return not isinstance(value, int | float) or (value >= 0 and value == int(value))


def _check_findings(name: str, gold: GoldFile) -> Iterator[GoldProblem]:
    identities = table_identities(gold)
    listed = {finding for finding in gold.findings if finding.partition("@")[0] in CHECKED_RULES}
    for finding in sorted(identities.broken - listed):
        yield GoldProblem(name, "findings", f"{finding} is broken by the figures but not listed")
    for finding in sorted(listed & identities.holding):
        yield GoldProblem(name, "findings", f"{finding} is listed but holds")
    for finding in sorted(listed - identities.broken - identities.holding):
        yield GoldProblem(name, "findings", f"{finding} is listed but cannot be recomputed from the tables")


def table_identities(gold: GoldFile) -> Identities:
    """The identities of domain.md §4 over the tables of `gold`; one without all operands is neither."""
    tables = (_requests_identities(gold), _remedies_identities(gold), _statistics_identities(gold))
    checked = {place: holds for table in tables for place, holds in table}
    return Identities(
        broken=frozenset(place for place, holds in checked.items() if not holds),
        holding=frozenset(place for place, holds in checked.items() if holds),
    )


def _requests_identities(gold: GoldFile) -> Iterator[tuple[str, bool]]:
    for row, cells in gold.requests.items():
        yield from _sum_holds(f"requests.row_total@{row}", cells[:-1], cells[-1])
    form = gold.templates.requests
    if form not in ("table2019", "table2021"):
        return
    for index, applicant in enumerate(APPLICANTS):
        outcomes = [_entry(gold, row, index) for row in outcome_rows(form)]
        concluded = _entry(gold, "concluded", index)
        yield from _sum_holds(f"requests.outcome_total@{applicant}", outcomes, concluded)
        incoming = [_entry(gold, "new_received", index), _entry(gold, "carried_in", index)]
        done = [concluded, _entry(gold, "carried_out", index)]
        if _numbers(incoming) is not None and (total := _numbers(done)) is not None:
            yield from _sum_holds(f"requests.balance@{applicant}", incoming, sum(total))


def _remedies_identities(gold: GoldFile) -> Iterator[tuple[str, bool]]:
    total = OUTCOMES.index("total")
    for block, cells in gold.remedies.items():
        yield from _sum_holds(f"remedies.total@{block}", cells[:total], cells[total])


def _statistics_identities(gold: GoldFile) -> Iterator[tuple[str, bool]]:
    cells = gold.statistics
    for identity in SUMS:
        if any(key in cells for key in identity.unless):
            continue
        parts = [*identity.parts, *(key for key in identity.more if key in cells)]
        whole = cells.get(identity.whole, "?")
        yield from _sum_holds(
            f"stat2014.total@{identity.whole}", [cells.get(key, "?") for key in parts], whole
        )


def _sum_holds(place: str, parts: list[CellEntry], whole: CellEntry) -> Iterator[tuple[str, bool]]:
    """Whether parts sum to the whole; nothing where an operand is missing."""
    numbers = _numbers([*parts, whole])
    if numbers is not None:
        yield place, sum(numbers[:-1]) == numbers[-1]


def _entry(gold: GoldFile, row: str, index: int) -> CellEntry:
    cells = gold.requests.get(row)
    return "?" if cells is None else cells[index]


def _numbers(entries: list[CellEntry]) -> list[int | float] | None:
    """The figures, 无 as 0; None where one is blank, `/` or lost."""
    numbers: list[int | float] = []
    for entry in entries:
        if isinstance(entry, str) and entry != "无":
            return None
        numbers.append(0 if isinstance(entry, str) else entry)
    return numbers


def _check_document(name: str, gold: GoldFile, document: Path) -> Iterator[GoldProblem]:
    if not document.is_file():
        yield GoldProblem(name, "file", f"{gold.file} {NOT_AT_HAND}", "note")
        return
    found = hashlib.sha256(document.read_bytes()).hexdigest()
    if found != gold.sha256:
        yield GoldProblem(name, "sha256", f"{gold.file} has {found}")
    try:
        text = SearchText(reading.read_document(document).text)
    except DocumentError as error:
        yield GoldProblem(name, "file", f"cannot be read: {error}")
        return
    yield from _check_prints(name, gold, text)


def _check_prints(name: str, gold: GoldFile, text: SearchText) -> Iterator[GoldProblem]:
    for number, line in enumerate(gold.narrative):
        key = f"narrative.{number} ({line.path})"
        if not text.find(line.raw):
            yield GoldProblem(name, key, f"raw {line.raw!r} is not in the document")
        elif line.near is not None and not text.find(line.raw, line.near):
            yield GoldProblem(name, key, f"raw {line.raw!r} does not stand right after near {line.near!r}")
        elif len(text.find(line.raw, line.near)) > 1:
            yield GoldProblem(
                name, key, f"raw {line.raw!r} stands several times: near must tell which", "note"
            )
    for field, items in (("problems", gold.text.problems), ("improvements", gold.text.improvements)):
        for number, item in enumerate(items):
            for print_ in (item.starts, item.ends):
                if not text.find(print_):
                    yield GoldProblem(name, f"text.{field}.{number}", f"{print_!r} is not in the document")
