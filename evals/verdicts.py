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
    ?                anything         not scored
    no such place    value 3          invented, also when gold has it from the other source
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from evals.align import align, says_the_same
from evals.gold import GoldDocument, GoldFact
from evals.values import is_repeatable
from pipeline.fact import Fact, Record, Source

Verdict = Literal["correct", "wrong", "omitted", "invented", "correctly_absent"]
VERDICTS: tuple[Verdict, ...] = ("correct", "wrong", "omitted", "invented", "correctly_absent")


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


class _Given(NamedTuple):
    """A fact of the program and its place in the record."""

    fact: Fact
    position: int


def judge(document: GoldDocument, facts: Sequence[Fact]) -> list[Judgement]:
    """The verdicts on one document; `facts` is empty where it failed or is missing."""
    given = _by_place(facts)
    judgements: list[Judgement] = []
    for key, golds in document.by_place.items():
        answers = given.pop(key, [])
        if len(golds) == 1 and len(answers) <= 1 and not is_repeatable(key[0]):
            _judge_one(document.doc_id, golds[0], answers[0] if answers else None, judgements)
        else:
            _judge_several(document.doc_id, golds, answers, judgements)
    for answers in given.values():
        judgements.extend(_invented(document, answer) for answer in _once(answers))
    return judgements


def judge_record(document: GoldDocument, record: Record | None) -> list[Judgement]:
    """The verdicts on one document as a run left it; a failed one has stated nothing."""
    failed = record is None or record.status == "failed"
    return judge(document, () if failed or record is None else record.facts)


def source_of(fact: Fact) -> Source:
    """The source under which a fact is scored: metadata wherever on the page it was found."""
    return "metadata" if fact.path.startswith("meta.") else fact.source


def _by_place(facts: Sequence[Fact]) -> dict[tuple[str, str], list[_Given]]:
    """The facts that claim something. Illegible and blank ones at no gold place claim nothing."""
    places: dict[tuple[str, str], list[_Given]] = {}
    for index, fact in enumerate(facts):
        if fact.status != "illegible":
            source = "metadata" if fact.path.startswith("meta.") else fact.source
            places.setdefault((fact.path, source), []).append(_Given(fact, index))
    return places


def _judge_one(doc_id: str, gold: GoldFact, answer: _Given | None, into: list[Judgement]) -> None:
    if gold.status == "illegible":
        return
    verdict = _verdict(gold, None if answer is None else answer.fact)
    fact, position = (None, None) if answer is None else answer
    into.append(Judgement(doc_id, gold.path, gold.source, gold.template, verdict, gold, fact, position))


def _verdict(gold: GoldFact, fact: Fact | None) -> Verdict:
    if gold.status in ("blank", "absent"):
        if fact is None or fact.status == "blank":
            return "correctly_absent"
        return "invented" if gold.status == "absent" else "wrong"
    if fact is None:
        return "omitted"
    return "correct" if says_the_same(gold, fact) else "wrong"


def _judge_several(
    doc_id: str, golds: Sequence[GoldFact], answers: Sequence[_Given], into: list[Judgement]
) -> None:
    pairs = align(golds, [answer.fact for answer in answers])
    used = set(pairs.values())
    for position, gold in enumerate(golds):
        matched = pairs.get(position)
        _judge_one(doc_id, gold, None if matched is None else answers[matched], into)
    said = [answers[index].fact for index in used]
    ignored = any(not gold.is_scored for gold in golds)
    for index, answer in enumerate(answers):
        repeats = any(_same_claim(answer.fact, fact) for fact in said)
        if index not in used and not repeats and not ignored and answer.fact.status != "blank":
            said.append(answer.fact)
            into.append(_surplus(doc_id, golds[0], answer))


def _same_claim(one: Fact, other: Fact) -> bool:
    """Whether two facts of one place say the same: a figure that is stated twice counts once."""
    return (one.value, one.status, one.label) == (other.value, other.status, other.label)


def _once(answers: Sequence[_Given]) -> list[_Given]:
    """`answers` without blank ones and without repetitions."""
    kept: list[_Given] = []
    for answer in answers:
        if answer.fact.status != "blank" and not any(_same_claim(answer.fact, k.fact) for k in kept):
            kept.append(answer)
    return kept


def _surplus(doc_id: str, gold: GoldFact, answer: _Given) -> Judgement:
    return Judgement(
        doc_id, gold.path, gold.source, gold.template, "invented", None, answer.fact, answer.position
    )


def _invented(document: GoldDocument, answer: _Given) -> Judgement:
    path = answer.fact.path
    form = document.file.templates.document or "narrative"
    if answer.fact.source == "table":
        form = getattr(document.file.templates, path.partition(".")[0], None) or form
    source = source_of(answer.fact)
    return Judgement(document.doc_id, path, source, form, "invented", None, answer.fact, answer.position)
