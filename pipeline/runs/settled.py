"""Findings after a review: those of the reading until people have looked, identities made anew.

A finding of the reading (a row too short, a cell that is hard to read) doubts what the machine read.
It is settled once a person has looked at a figure of every field that it names, at its place: what is
in force there is no longer the machine's word alone. One that names no field stays, and so does one
with a field of which there is no figure. Identities are held against the facts in force; people
cannot settle those, since a report may well print sums that are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.checks import check_facts
from pipeline.checks.concern import concerns
from pipeline.fact import Fact, Finding, Record
from pipeline.runs.corrected import Figure

_OF_READING = ("table.", "read.", "reading.", "fill.", "run.")
_OF_IDENTITIES = ("requests.", "remedies.", "proactive.", "statistics.", "count.", "cross.",
                  "narrative.closed_list", "narrative.bounds")  # fmt: skip


def findings_of_reading(record: Record, text: str | None) -> tuple[Finding, ...]:
    """The findings of a record that no identity made; all where the text is not at hand.

    Which they are is told by the rule. Rules that are of neither kind by their names (meta.*) are of the
    reading where the identities do not come to them.
    """
    if text is None:
        return record.findings
    unclear = [each for each in record.findings if not each.rule.startswith((*_OF_READING, *_OF_IDENTITIES))]
    made = check_facts(text, record.facts, record.templates, of_tables(record.findings)) if unclear else ()
    return tuple(
        each
        for each in record.findings
        if each.rule.startswith(_OF_READING) or (each in unclear and each not in made)
    )


def of_tables(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Complaints of the table reader: of all findings of the reading, those bear on a suspected cause."""
    return tuple(finding for finding in findings if finding.rule.startswith("table."))


def is_settled(finding: Finding, figures: Iterable[Figure]) -> bool:
    """Whether a person has looked at everything that a finding names: at a figure of every field, at its
    place, and at all of them where a field has several."""
    looked_at: set[str] = set()
    for figure in figures:
        about = [fact.path for fact in _readings(figure) if concerns(finding, fact)]
        if about and not figure.is_checked:
            return False
        looked_at.update(about)
    return bool(looked_at) and looked_at.issuperset(finding.paths)


def _readings(figure: Figure) -> Sequence[Fact]:
    return [fact for fact in (figure.machine, figure.human) if fact is not None]


def may_be_settled(finding: Finding) -> bool:
    """Whether people can settle it: it names fields, and is no identity by its rule."""
    return bool(finding.paths) and not finding.rule.startswith(_OF_IDENTITIES)


def findings_in_force(
    record: Record, text: str | None, figures: Sequence[Figure], facts: Sequence[Fact]
) -> tuple[Finding, ...]:
    """Those of the reading that are not settled, then the identities that `facts` in force break.

    Where the text is not at hand the identities stay as they were.
    """
    if text is None or record.status == "failed":
        return tuple(
            each
            for each in record.findings
            if not (each.rule.startswith(_OF_READING) and is_settled(each, figures))
        )
    kept = tuple(each for each in findings_of_reading(record, text) if not is_settled(each, figures))
    return (*kept, *check_facts(text, facts, record.templates, of_tables(kept)))
