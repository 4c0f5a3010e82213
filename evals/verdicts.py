"""Gold and program side by side: one verdict a fact.

A fact of the program answers the gold fact of its path and source. What the two say
decides:

    gold says        program says     verdict
    value 3          value 3          correct
    value 3          value 4          wrong
    value 0          blank            wrong: blank, `/`, 0 and zero in words are four things
    value 3          nothing          omitted   (also: illegible, it claims nothing)
    `/`              `/`              correct
    blank            nothing, blank   correctly_absent, which counts for nobody
    blank            0                wrong
    not printed      value 3          invented
    not printed      nothing          correctly_absent
    ?                anything         not scored (one fact for each such place)
    no such place    value 3          invented, also when gold has it from the other source

Most claims are right to the letter and are looked up; only the rest is aligned and
compared. A verdict is kept as one byte; `Judgement` spells it out for those who read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from evals.align import align, says_the_same
from evals.gold import GoldDocument, GoldFact, Kind
from pipeline.fact import Fact, Record, Source

Verdict = Literal["correct", "wrong", "omitted", "invented", "correctly_absent"]
VERDICTS: tuple[Verdict, ...] = ("correct", "wrong", "omitted", "invented", "correctly_absent")
CORRECT, WRONG, OMITTED, INVENTED, CORRECTLY_ABSENT, NOT_SCORED = range(6)
UNANSWERED: dict[str, int] = {
    "value": OMITTED,
    "zero_in_words": OMITTED,
    "not_applicable": OMITTED,
    "blank": CORRECTLY_ABSENT,
    "absent": CORRECTLY_ABSENT,
    "illegible": NOT_SCORED,
}


class Judgement(NamedTuple):
    """The verdict on one fact. `fact` is the program's, at `position` of its record."""

    doc_id: str
    path: str
    source: Source
    template: str
    verdict: Verdict
    gold: GoldFact | None
    fact: Fact | None
    position: int | None


@dataclass(frozen=True)
class Marked:
    """A document as marked: `codes` has a verdict for each gold fact.

    `answers` gives for positions of gold facts the position of the fact that answers;
    `surplus` the facts that nothing in gold asks for.
    """

    document: GoldDocument
    facts: Sequence[Fact]
    codes: bytearray
    answers: dict[int, int]
    surplus: tuple[int, ...]

    def judgements(self) -> Iterator[Judgement]:
        """The verdicts, gold facts in their order, then what was invented."""
        doc_id, facts, answers = self.document.doc_id, self.facts, self.answers
        for number, (gold, code) in enumerate(zip(self.document.facts, self.codes, strict=True)):
            if code == NOT_SCORED:
                continue
            at = answers.get(number)
            fact = None if at is None else facts[at]
            yield Judgement(doc_id, gold.path, gold.source, gold.template, VERDICTS[code], gold, fact, at)
        for at in self.surplus:
            fact = facts[at]
            path, _, template = self.kind_of_surplus(at)
            yield Judgement(doc_id, path, source_of(fact), template, "invented", None, fact, at)

    def kind_of_surplus(self, position: int) -> Kind:
        """What an invented fact is grouped under: the form that gold has there, else the document's."""
        fact = self.facts[position]
        source = source_of(fact)
        places = self.document.positions.get((fact.path, source))
        if places:
            return Kind(fact.path, source, self.document.facts[places[0]].template)
        forms = self.document.file.templates.model_dump()
        form = forms["document"] or "narrative"
        if fact.source == "table":
            form = forms.get(fact.path.partition(".")[0]) or form
        return Kind(fact.path, source, form)


def mark(document: GoldDocument, facts: Sequence[Fact]) -> Marked:
    """Mark what a program states about one document; `facts` is empty where it failed."""
    right = document.right_claims
    answers: dict[int, int] = {}
    others: dict[tuple[str, str], list[int]] = {}
    for position, fact in enumerate(facts):
        gold = right.get((fact.path, fact.source, fact.status, fact.value))
        if gold is None:
            others.setdefault((fact.path, source_of(fact)), []).append(position)
        else:
            answers.setdefault(gold, position)  # stated twice counts once
    codes = bytearray(map(UNANSWERED.__getitem__, document.statuses))
    for gold in answers:
        if codes[gold] == OMITTED:
            codes[gold] = CORRECT
    surplus: list[int] = []
    for place, positions in others.items():
        golds = document.positions.get(place, [])
        said = [answers.pop(gold) for gold in golds if gold in answers]
        claiming = [at for at in sorted(said + positions) if facts[at].status != "illegible"]
        surplus += _settle(document.facts, golds, facts, claiming, codes, answers)
    return Marked(document, facts, codes, answers, tuple(sorted(surplus)))


def mark_record(document: GoldDocument, record: Record | None) -> Marked:
    """Mark one document as a run left it; a failed or missing one has stated nothing."""
    failed = record is None or record.status == "failed"
    return mark(document, () if failed or record is None else record.facts)


def judge(document: GoldDocument, facts: Sequence[Fact]) -> list[Judgement]:
    """The verdicts on one document, spelled out."""
    return list(mark(document, facts).judgements())


def source_of(fact: Fact) -> Source:
    """The source under which a fact is scored: metadata wherever on the page it was found."""
    return "metadata" if fact.path.startswith("meta.") else fact.source


def _settle(
    expected: Sequence[GoldFact],
    golds: Sequence[int],
    facts: Sequence[Fact],
    claiming: Sequence[int],
    codes: bytearray,
    answers: dict[int, int],
) -> list[int]:
    """Settle one place by comparing: pairs go to `answers` and `codes`; what is left over is returned."""
    if len(golds) == len(claiming) == 1 and expected[golds[0]].is_alone:
        pairs = {0: 0}
    else:
        pairs = align([expected[gold] for gold in golds], [facts[at] for at in claiming])
    for number, gold in enumerate(golds):
        if number in pairs and codes[gold] != NOT_SCORED:
            answers[gold] = claiming[pairs[number]]
            codes[gold] = _verdict(expected[gold], facts[claiming[pairs[number]]])
    # A place that cannot be judged takes up one fact, whichever it is.
    open_places = sum(codes[gold] == NOT_SCORED and number not in pairs for number, gold in enumerate(golds))
    used = set(pairs.values())
    said = [facts[claiming[number]] for number in used]
    surplus = []
    for number, at in enumerate(claiming):
        fact = facts[at]
        if number not in used and fact.status != "blank" and not any(_same_claim(fact, s) for s in said):
            said.append(fact)
            surplus.append(at)
    return surplus[open_places:]


def _verdict(gold: GoldFact, fact: Fact) -> int:
    if gold.status in ("blank", "absent"):
        if fact.status == "blank":
            return CORRECTLY_ABSENT
        return INVENTED if gold.status == "absent" else WRONG
    return CORRECT if says_the_same(gold, fact) else WRONG


def _same_claim(one: Fact, other: Fact) -> bool:
    """Whether two facts of one place say the same: a figure that is stated twice counts once."""
    return (one.value, one.status, one.label) == (other.value, other.status, other.label)
