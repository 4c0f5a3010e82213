"""What two runs read differently in one document.

Facts are paired by field and source, then: those that say the same, those of one place, those of one
label, and, where a field stands once, whatever is left. What is left of two fields at one print is
paired last: the same print was taken for two things. Only what differs is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from evals.review.queue.risk import concerns
from evals.values import is_repeatable, normal_item, same_value, subject_name
from pipeline.fact import Fact, Finding, Record
from pipeline.runs.corrected import Figure, figures
from pipeline.runs.reviews import ReviewEvent
from pipeline.schema import fields

Aspect = Literal["missing", "added", "field", "value", "status", "bound", "scope", "label"]
Right = Literal["", "one", "other", "both", "neither"]
_LIKE_ITEM = 0.6
_LIKE_LABEL = 0.6


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that the two runs do not both have alike; None where a run has nothing.

    `aspects` say in what they differ. `findings_one` and `findings_other` are those that name it in
    each run. `human` is what a person said of it, None where nobody did; `is_dropped`: that it is none.
    """

    path: str
    source: str
    one: Fact | None
    other: Fact | None
    aspects: tuple[Aspect, ...]
    findings_one: tuple[Finding, ...] = ()
    findings_other: tuple[Finding, ...] = ()
    human: Fact | None = None
    is_dropped: bool = False

    @property
    def right(self) -> Right:
        """Which run says what a person said; empty where nobody looked."""
        if self.human is None and not self.is_dropped:
            return ""
        found = [self._is_right(fact) for fact in (self.one, self.other)]
        if all(found):
            return "both"
        return "one" if found[0] else "other" if found[1] else "neither"

    def _is_right(self, fact: Fact | None) -> bool:
        if fact is None or self.human is None:
            return fact is None and self.human is None
        return fact.path == self.human.path and not _aspects(fact, self.human)


@dataclass(frozen=True, slots=True)
class FindingDifference:
    """A finding that only one of the runs has."""

    finding: Finding
    is_of_one: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything in which two records of one document differ.

    `forms`: templates and status by name, with both values. `same_text`: places are of one text.
    """

    facts: tuple[Difference, ...]
    findings: tuple[FindingDifference, ...]
    forms: tuple[tuple[str, str, str], ...]
    same_text: bool

    @property
    def count(self) -> int:
        """How many differences there are."""
        return len(self.facts) + len(self.findings) + len(self.forms)


class _Pair(NamedTuple):
    one: Fact | None
    other: Fact | None


def compare_records(
    one: Record,
    other: Record,
    same_text: bool,
    events_one: Iterable[ReviewEvent] = (),
    events_other: Iterable[ReviewEvent] = (),
) -> Comparison:
    """The differences of two records of one document, in the order of the forms and of the report."""
    pairs = _paired(one.facts, other.facts, same_text)
    differing = [pair for pair in pairs if _differ(pair)]
    said = _Said([*_checked(one, events_one)], [*_checked(other, events_other)])
    found = [_difference(pair, one, other, said) for pair in _joined(differing, same_text)]
    order = {path: number for number, path in enumerate(fields())}
    return Comparison(
        facts=tuple(sorted(found, key=lambda each: (order.get(each.path, len(order)), _start(each)))),
        findings=tuple(_findings(one, other)),
        forms=tuple(_forms(one, other)),
        same_text=same_text,
    )


def _paired(ones: Sequence[Fact], others: Sequence[Fact], same_text: bool) -> list[_Pair]:
    groups: dict[tuple[str, str], tuple[list[Fact], list[Fact]]] = {}
    for index, facts in enumerate((ones, others)):
        for fact in facts:
            groups.setdefault((fact.path, fact.source), ([], []))[index].append(fact)
    return [pair for group in groups.values() for pair in _pairs_of_field(*group, same_text)]


def _pairs_of_field(ones: list[Fact], others: list[Fact], same_text: bool) -> list[_Pair]:
    pairs: list[_Pair] = []
    steps: list[Callable[[Fact, Fact], bool]] = []
    if same_text:
        steps += [lambda a, b: not _aspects(a, b) and _overlap(a, b), _overlap]
    steps += [lambda a, b: not _aspects(a, b), _alike]
    for is_pair in steps:
        ones, others = _take(pairs, ones, others, is_pair)
    if ones and others and not is_repeatable(ones[0].path):
        in_order = list(zip(ones, others, strict=False))
        pairs += [_Pair(*pair) for pair in in_order]
        ones, others = ones[len(in_order) :], others[len(in_order) :]
    return [*pairs, *(_Pair(fact, None) for fact in ones), *(_Pair(None, fact) for fact in others)]


def _take(
    pairs: list[_Pair], ones: list[Fact], others: list[Fact], is_pair: Callable[[Fact, Fact], bool]
) -> tuple[list[Fact], list[Fact]]:
    """Move what fits into `pairs`; what is left of both."""
    left, open_others = [], list(others)
    for fact in ones:
        match = next((each for each in open_others if is_pair(fact, each)), None)
        if match is None:
            left.append(fact)
        else:
            open_others = [each for each in open_others if each is not match]
            pairs.append(_Pair(fact, match))
    return left, open_others


def _joined(pairs: Sequence[_Pair], same_text: bool) -> list[_Pair]:
    """One difference where the two runs took one print for two fields."""
    whole = [pair for pair in pairs if pair.one is not None and pair.other is not None]
    ones = [pair.one for pair in pairs if pair.one is not None and pair.other is None]
    others = [pair.other for pair in pairs if pair.other is not None and pair.one is None]
    if same_text:
        ones, others = _take(
            whole, ones, others, lambda a, b: a.source == b.source and a.evidence == b.evidence
        )
    return [*whole, *(_Pair(fact, None) for fact in ones), *(_Pair(None, fact) for fact in others)]


def _overlap(one: Fact, other: Fact) -> bool:
    a, b = one.evidence, other.evidence
    return (a.start < b.end and b.start < a.end) or (a.start, a.end) == (b.start, b.end)


def _alike(one: Fact, other: Fact) -> bool:
    """Whether two facts that say different things mean the same thing of the document."""
    if one.path.startswith("text."):
        items = normal_item(str(one.value)), normal_item(str(other.value))
        return SequenceMatcher(None, *items).ratio() >= _LIKE_ITEM
    if one.label is None or other.label is None:
        return one.raw == other.raw and one.label == other.label
    labels = subject_name(one.label), subject_name(other.label)
    return labels[0] == labels[1] or SequenceMatcher(None, *labels).ratio() >= _LIKE_LABEL


def _aspects(one: Fact, other: Fact) -> tuple[Aspect, ...]:
    found: list[Aspect] = []
    if one.path != other.path:
        found.append("field")
    if one.status != other.status:
        found.append("status")
    if not _same_value(one, other):
        found.append("value")
    if one.bound != other.bound:
        found.append("bound")
    if one.scope != other.scope:
        found.append("scope")
    if subject_name(one.label) != subject_name(other.label):
        found.append("label")
    return tuple(found)


def _differ(pair: _Pair) -> bool:
    return pair.one is None or pair.other is None or bool(_aspects(pair.one, pair.other))


def _same_value(one: Fact, other: Fact) -> bool:
    if one.path.startswith("text."):
        return normal_item(str(one.value)) == normal_item(str(other.value))
    return one.value == other.value or same_value(one.path, one.value, other.value)


# ---- what people said ----


@dataclass(frozen=True, slots=True)
class _Said:
    one: list[Figure]
    other: list[Figure]

    def of(self, pair: _Pair) -> Figure | None:
        """What a person said of either fact, in its own run."""
        for fact, checked in ((pair.one, self.one), (pair.other, self.other)):
            for figure in checked if fact is not None else ():
                if figure.machine == fact:
                    return figure
        return self._added(pair)

    def _added(self, pair: _Pair) -> Figure | None:
        """What a person added in the run that has nothing there."""
        fact, checked = (pair.other, self.one) if pair.one is None else (pair.one, self.other)
        if fact is None or (pair.one is not None and pair.other is not None):
            return None
        added = (figure for figure in checked if figure.machine is None and figure.human is not None)
        return next((each for each in added if each.human and _is_there(each.human, fact)), None)


def _is_there(human: Fact, fact: Fact) -> bool:
    return human.path == fact.path and human.source == fact.source and _overlap(human, fact)


def _checked(record: Record, events: Iterable[ReviewEvent]) -> Iterator[Figure]:
    found = list(events)
    return (figure for figure in figures(record, found) if figure.is_checked) if found else iter(())


def _difference(pair: _Pair, one: Record, other: Record, said: _Said) -> Difference:
    fact = pair.one or pair.other
    if fact is None:
        raise ValueError("a pair holds a fact")
    aspects: tuple[Aspect, ...] = ("added",) if pair.one is None else ("missing",)
    if pair.one is not None and pair.other is not None:
        aspects = _aspects(pair.one, pair.other)
    figure = said.of(pair)
    return Difference(
        path=fact.path,
        source=fact.source,
        one=pair.one,
        other=pair.other,
        aspects=aspects,
        findings_one=_concerning(one, pair.one),
        findings_other=_concerning(other, pair.other),
        human=None if figure is None else figure.fact,
        is_dropped=figure is not None and figure.fact is None,
    )


def _concerning(record: Record, fact: Fact | None) -> tuple[Finding, ...]:
    if fact is None:
        return ()
    return tuple(finding for finding in record.findings if concerns(finding, fact))


def _start(difference: Difference) -> int:
    fact = difference.one or difference.other
    return 0 if fact is None else fact.evidence.start


# ---- findings, forms ----


def _findings(one: Record, other: Record) -> Iterator[FindingDifference]:
    left = [_name(finding) for finding in other.findings]
    for finding in one.findings:
        name = _name(finding)
        if name in left:
            left.remove(name)
        else:
            yield FindingDifference(finding, True)
    left = [_name(finding) for finding in one.findings]
    for finding in other.findings:
        name = _name(finding)
        if name in left:
            left.remove(name)
        else:
            yield FindingDifference(finding, False)


def _name(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.at, finding.severity, finding.expected, finding.printed, finding.paths


def _forms(one: Record, other: Record) -> Iterator[tuple[str, str, str]]:
    if one.status != other.status:
        yield "status", one.status, other.status
    if one.error_code != other.error_code:
        yield "error", one.error_code or "–", other.error_code or "–"
    forms_one, forms_other = one.templates.model_dump(), other.templates.model_dump()
    for key, form in forms_one.items():
        if form != forms_other[key]:
            yield key, form or "–", forms_other[key] or "–"
