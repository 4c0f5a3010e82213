"""Run folders → everything for a page: the panel, its harmonised figures, findings within and across."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.fact import Evidence, Record
from pipeline.overview.content import MOST_UNPLACED
from pipeline.overview.material import (
    Figure,
    IssuerYear,
    Material,
    Operand,
    PageFinding,
    Paper,
    Role,
    Unplaced,
    Variable,
    facts_meant,
    page_finding,
)
from pipeline.panel import crosswalk as rules
from pipeline.panel.across import AcrossFinding, check_across
from pipeline.panel.harmonised import harmonise
from pipeline.panel.model import PanelRow, Source
from pipeline.panel.sources import sources_of
from pipeline.panel.stored import StoredRecord
from pipeline.panel.versions import choose, unplaced

_ROLES: Mapping[str, Role] = {
    "h_requests_granted": "outcome",
    "h_requests_part_granted": "outcome",
    "h_requests_denied": "outcome",
    "h_requests_unavailable": "outcome",
    "h_requests_unprocessed": "outcome",
    "h_requests_other": "outcome",
    "h_requests_received": "received",
}
# `level.sum` names every child: the evidence of more is in check.json.
_MOST_FURTHER = 12


def material_of(runs: Sequence[Path]) -> Material:
    """The panel over run folders. Records are read one after the other while the page is made.

    Raises StartError when a folder is no run folder or a line of it is damaged.
    """
    folders = list({run.resolve(): run for run in runs}.values())
    sources = sources_of(folders)
    return material_of_sources(sources)


def material_of_sources(sources: Sequence[Source]) -> Material:
    """The same for sources at hand."""
    rows = choose(sources)
    return Material(
        runs=tuple(dict.fromkeys(source.run for source in sources)),
        variables=variables(),
        rows=_issuer_years(rows, _Across.of(sources, check_across(rows))),
        row_count=len(rows),
        unplaced=_unplaced(sources),
    )


def variables() -> tuple[Variable, ...]:
    """Harmonised variables, rates and lateness, as the crosswalk names them."""
    crosswalk = rules.crosswalk()
    late = crosswalk.lateness
    return (
        *(
            Variable(each.name, each.label_zh, each.label_en, each.unit, _ROLES.get(each.name, "other"))
            for each in crosswalk.variables
        ),
        *(
            Variable(each.name, each.label_zh, each.label_en, None, "rate", _parts(each))
            for each in crosswalk.rates
        ),
        Variable(late.name, late.label_zh, late.label_en, late.unit, "days"),
    )


def _parts(rate: rules.Rate) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.name for term in (*rate.numerator, *rate.denominator)))


def _issuer_years(rows: Iterable[PanelRow], across: _Across) -> Iterator[IssuerYear]:
    for row in rows:
        record = row.chosen.record
        yield issuer_year(row, record, across.findings(row.chosen, record))


def issuer_year(row: PanelRow, record: Record, across: Iterable[PageFinding] = ()) -> IssuerYear:
    """A row with its figures and findings; `record` is the chosen one, `across` stand at it."""
    own = (
        page_finding(finding, map(Operand, facts_meant(record.facts, finding.paths, finding.evidence)))
        for finding in record.findings
    )
    return IssuerYear(row, record, _paper(row.chosen), tuple(_figures(row, record)), (*own, *across))


def _paper(source: Source) -> Paper:
    held = source.held
    return Paper(source.doc_id, source.sha256, held.folder if isinstance(held, StoredRecord) else None)


@dataclass(frozen=True)
class _Across:
    """Findings across documents by the one that they stand at, and all documents to look up the others."""

    sources: Mapping[tuple[str, str], Source]
    by_document: Mapping[tuple[str, str], Sequence[AcrossFinding]]

    @classmethod
    def of(cls, sources: Iterable[Source], findings: Iterable[AcrossFinding]) -> _Across:
        by_document: dict[tuple[str, str], list[AcrossFinding]] = defaultdict(list)
        for finding in findings:
            by_document[finding.run, finding.doc_id].append(finding)
        return cls({(source.run, source.doc_id): source for source in sources}, by_document)

    def findings(self, source: Source, record: Record) -> Iterator[PageFinding]:
        """Those that stand at a document, with the prints of all that they rest on."""
        for across in self.by_document.get((source.run, source.doc_id), ()):
            finding = across.finding
            own = facts_meant(record.facts, finding.paths, finding.evidence)
            others = [(across.other_run, across.other_doc_id, across.other_evidence)]
            others += [(each.run, each.doc_id, each.evidence) for each in across.further[:_MOST_FURTHER]]
            operands = [operand for other in others for operand in self._operands(finding.paths, *other)]
            yield page_finding(finding, (*map(Operand, own), *operands))

    def _operands(
        self, paths: Sequence[str], run: str, doc_id: str, evidence: Sequence[Evidence]
    ) -> Iterator[Operand]:
        source = self.sources.get((run, doc_id))
        if source is not None:
            for fact in facts_meant(source.record.facts, paths, evidence):
                yield Operand(fact, _paper(source))


def _figures(row: PanelRow, record: Record) -> Iterator[Figure]:
    """In the order of `variables`."""
    source, crosswalk = row.chosen, rules.crosswalk()
    found = harmonise(record, row.year, source.issuer_type, source.level)
    for variable in crosswalk.variables:
        figure = found.variables[variable.name]
        yield Figure(variable.name, figure.value, figure.status, figure.facts)
    for rate in crosswalk.rates:
        yield Figure(rate.name, found.rates[rate.name].value, found.rates[rate.name].status)
    late = found.lateness
    published = tuple(fact for fact in record.facts if fact.path == "meta.published_on")
    yield Figure(crosswalk.lateness.name, late.days, late.status, published)


def _unplaced(sources: Sequence[Source]) -> list[Unplaced]:
    """Documents in no row. Why one failed stands in its record: read for those that are shown."""
    listed = []
    for position, each in enumerate(unplaced(sources)):
        error = None
        if position < MOST_UNPLACED and each.source.status == "failed":
            error = each.source.record.error
        listed.append(Unplaced(each.source.run, each.source.doc_id, error or each.reason))
    return listed
