"""Which documents are the same report, and which of its versions counts.

Of a reporter's documents for one year the one that counts is chosen by this rule:

1. A document that was read goes before one that failed.
2. Documents with the same content (content.py) are one version, whichever site or format they
   come from. Among versions with a date the latest wins: an altered report replaces the earlier one.
   A version's date is that of its earliest copy (`meta.published_on`, else `meta.signed_on`), since
   an old report that another site posts later is no newer for it.
3. Against a version without a date, and between two of the same date, the one with more facts
   of table and prose wins, then the one with fewer errors, then the first by `doc_id` and run.
4. Of the copies of that version: more figures that a person checked, then more facts, then fewer
   errors, then a date before none and the earliest (when the report came out), then `doc_id` and run.
   Copies stay copies when people correct one of them: what the machine read of both is compared too.

Nothing is thrown away: every document stays a version of its row with what it is beside the
chosen one. A department is a reporter of its own and never a version of its government's report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.fact import Record
from pipeline.panel.content import Comparison, Content
from pipeline.panel.model import PanelRow, Source, Version

_FIELDS_NAMED = 3
_DATES = ("meta.published_on", "meta.signed_on")


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A document that is outside of the panel, and why."""

    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document of a row with what is asked of it in choosing."""

    source: Source
    content: Content
    written: Content
    media_type: str | None
    attachments: tuple[str, ...]
    facts: int
    errors: int
    day: date | None

    @property
    def checked(self) -> int:
        """Figures that a person has checked."""
        return 0 if self.source.review is None else len(self.source.review.verdicts)

    @property
    def rank(self) -> tuple[object, ...]:
        """Smaller is better: more facts, fewer errors, doc_id and run."""
        return (-self.facts, self.errors, self.source.doc_id, self.source.run)

    @property
    def rank_among_copies(self) -> tuple[object, ...]:
        """The same with the earliest date before the name, and what people checked before all."""
        day = self.day or date.max
        return (-self.checked, -self.facts, self.errors, day, self.source.doc_id, self.source.run)


@dataclass(slots=True)
class _Edition:
    """Documents with the same content."""

    copies: list[_Candidate] = field(default_factory=list)

    @property
    def day(self) -> date | None:
        return min((copy.day for copy in self.copies if copy.day is not None), default=None)

    @property
    def best(self) -> _Candidate:
        return min(self.copies, key=lambda copy: copy.rank_among_copies)

    def has(self, candidate: _Candidate) -> bool:
        first = self.copies[0]
        is_same_file = _files(first) == _files(candidate)
        if is_same_file or first.content.compare(candidate.content).is_same:
            return True
        is_reviewed = any(each.content is not each.written for each in (first, candidate))
        return is_reviewed and first.written.compare(candidate.written).is_same


def choose(sources: Iterable[Source]) -> tuple[PanelRow, ...]:
    """One row for each reporter and year, by reporter and year.

    Records are read only where a row has several documents, one row after the other.
    A document that failed has no place or year: it is a version where its bytes are those of a
    document that was read. All others without reporter or year are `unplaced`.
    """
    rows, failed = _grouped(sources)
    found: list[PanelRow] = []
    for reporter_id, year in sorted(rows):
        group = rows[reporter_id, year]
        hashes = {source.sha256 for source in group}
        alike = [each for sha256 in sorted(hashes) for each in failed.get(sha256, ())]
        found.append(_row(reporter_id, year, group, alike))
    return tuple(found)


def unplaced(sources: Iterable[Source]) -> tuple[Unplaced, ...]:
    """The documents that no row of `choose` has among its versions, in their order."""
    every = list(sources)
    rows, _ = _grouped(every)
    placed = {source.sha256 for group in rows.values() for source in group}
    return tuple(
        Unplaced(source, reason)
        for source in every
        if (reason := _why_unplaced(source)) is not None
        and not (source.status == "failed" and source.sha256 in placed)
    )


def _why_unplaced(source: Source) -> str | None:
    if source.reporter_id is not None and source.year is not None:
        return None
    if source.status == "failed":
        return "failed: it has no facts"
    lacking = [] if source.year is not None else ["no year is printed"]
    if source.issuer is None:
        lacking.append("no issuer is printed")
    elif source.reporter_id is None:
        lacking.append(f"nothing printed tells in which place {source.issuer} lies")
    return "; ".join(lacking)


_Rows = dict[tuple[str, int], list[Source]]


def _grouped(sources: Iterable[Source]) -> tuple[_Rows, dict[str, list[Source]]]:
    """Sources by reporter and year, and those that failed by their bytes."""
    rows: _Rows = defaultdict(list)
    failed: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        if source.reporter_id is not None and source.year is not None:
            rows[source.reporter_id, source.year].append(source)
        elif source.status == "failed" and source.sha256:
            failed[source.sha256].append(source)
    return rows, failed


def _row(reporter_id: str, year: int, group: Sequence[Source], alike: Sequence[Source]) -> PanelRow:
    read = [source for source in group if source.status != "failed"] or list(group)
    broken = [source for source in group if source not in read] + list(alike)
    if len(read) == 1:
        chosen, versions = read[0], [Version(read[0], "chosen", read[0].doc_id, "the only document read")]
    else:
        chosen, versions = _chosen([_candidate(source) for source in read])
    versions.extend(
        Version(source, "failed", chosen.doc_id, _why_failed(source.record, chosen)) for source in broken
    )
    return PanelRow(reporter_id, year, chosen, tuple(versions))


def _why_failed(record: Record, chosen: Source) -> str:
    same = "the same file as the chosen one, " if record.sha256 == chosen.sha256 else ""
    return f"{same}failed: {record.error or 'no reason was kept'}"


def _candidate(source: Source) -> _Candidate:
    record, content = source.record, Content.of(source.record)
    return _Candidate(
        source,
        content,
        content if source.review is None else Content.of(source.written),
        record.media_type,
        tuple(sorted(part.sha256 for part in record.parts)),
        facts=sum(fact.source != "metadata" for fact in record.facts),
        errors=sum(finding.severity == "error" for finding in record.findings),
        day=_day(record),
    )


def _day(record: Record) -> date | None:
    """Published, else signed on; None where none or several days are printed."""
    for path in _DATES:
        days = {str(fact.value) for fact in record.facts if fact.path == path and fact.status == "value"}
        if len(days) == 1:
            try:
                return date.fromisoformat(days.pop())
            except ValueError:
                continue
    return None


def _files(candidate: _Candidate) -> tuple[str, ...]:
    return (candidate.source.sha256, *candidate.attachments)


def _chosen(candidates: Sequence[_Candidate]) -> tuple[Source, list[Version]]:
    editions = _editions(candidates)
    winner, why = _winner(editions)
    best = winner.best
    versions = [Version(best.source, "chosen", best.source.doc_id, why)]
    for edition in editions:
        copies = sorted(edition.copies, key=lambda each: each.rank_among_copies)
        versions.extend(_version(each, best, edition is winner) for each in copies if each is not best)
    return best.source, versions


def _editions(candidates: Sequence[_Candidate]) -> list[_Edition]:
    editions: list[_Edition] = []
    for candidate in sorted(candidates, key=lambda each: each.rank):
        edition = next((each for each in editions if each.has(candidate)), None)
        if edition is None:
            edition = _Edition()
            editions.append(edition)
        edition.copies.append(candidate)
    return editions


def _winner(editions: Sequence[_Edition]) -> tuple[_Edition, str]:
    """The version that counts, and by which part of the rule."""
    if len(editions) == 1:
        return editions[0], f"the best of {len(editions[0].copies)} copies"
    dated = [(edition.day, edition) for edition in editions if edition.day is not None]
    latest = max((day for day, _ in dated), default=None)
    newest = [edition for day, edition in dated if day == latest]
    final = [*newest, *(edition for edition in editions if edition.day is None)]
    winner = min(final, key=lambda edition: edition.best.rank)
    if len(final) == 1:
        return winner, f"the latest of {len(editions)} versions, of {latest}"
    return winner, f"of {len(editions)} versions the one with more facts, else fewer errors, else the first"


def _version(candidate: _Candidate, best: _Candidate, is_same_edition: bool) -> Version:
    source, of = candidate.source, best.source.doc_id
    if _files(candidate) == _files(best):
        return Version(source, "duplicate", of, "the same file")
    comparison = candidate.content.compare(best.content)
    if not is_same_edition:
        return Version(source, "superseded", of, _difference(comparison))
    if candidate.media_type != best.media_type:
        reason = f"the same report as {candidate.media_type}; {comparison.share:.0%} of the figures in both"
        return Version(source, "other_carrier", of, reason)
    return Version(source, "duplicate", of, f"the same report; {comparison.share:.0%} of the figures in both")


def _difference(comparison: Comparison) -> str:
    fields = [field.partition(":")[2] for field in comparison.differing]
    more = f" and {len(fields) - _FIELDS_NAMED} more" if len(fields) > _FIELDS_NAMED else ""
    named = f" ({', '.join(fields[:_FIELDS_NAMED])}{more})" if fields else ""
    reworded = "; the text is worded anew" if comparison.wording < 0.5 else ""
    return (
        f"{len(fields)} fields differ{named}, {comparison.only_in_one} are in one document only; "
        f"{comparison.share:.0%} of the figures in both{reworded}"
    )
