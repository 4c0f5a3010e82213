"""Record + what people said about it → its figures with both readings, and the facts in force.

The machine's facts stay as they are; a person's reading stands beside them and goes before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.fact import Fact, Record
from pipeline.runs.reviews import ReviewEvent, Target, TargetState, states

Verdict = Literal["unchecked", "confirmed", "corrected", "removed", "added"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a document with the machine's reading and a person's.

    `human` is the person's fact of `corrected` and `added`, and of what was added and removed again.
    `last` is the newest change that was not undone, `base` the number of the newest of all, 0 for
    none: a further change names it as seen. A confirmation leaves what it confirms in force: the
    machine's reading, or a correction before it.
    """

    target: Target
    machine: Fact | None
    human: Fact | None = None
    verdict: Verdict = "unchecked"
    last: ReviewEvent | None = None
    base: int = 0
    events: tuple[ReviewEvent, ...] = ()

    @property
    def key(self) -> str:
        """A name for it within its document."""
        return self.target.key

    @property
    def fact(self) -> Fact | None:
        """The fact in force; None where a person removed it."""
        if self.verdict == "removed":
            return None
        return self.human or self.machine

    @property
    def is_checked(self) -> bool:
        """Whether a person has looked at it."""
        return self.verdict != "unchecked"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A change that is not undone and applies to no figure of the record as it is now, with the reason."""

    event: ReviewEvent
    why: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """All figures of a record, and the changes that found none."""

    figures: tuple[Figure, ...]
    orphaned: tuple[Orphan, ...] = ()


def figures(record: Record, events: Iterable[ReviewEvent]) -> tuple[Figure, ...]:
    """The machine's facts in the order of the record, then what people added by its evidence."""
    return reviewed(record, events).figures


def facts_in_force(record: Record, events: Iterable[ReviewEvent]) -> tuple[Fact, ...]:
    """The facts that count: corrected where they stood, added ones after what is printed before them."""
    found = list(events)
    return _in_force(figures(record, found)) if found else record.facts


def reviewed(record: Record, events: Iterable[ReviewEvent]) -> Reviewed:
    """The figures with their readings. `events` are those of the record's `doc_id`, in order."""
    own, orphaned = _of_this_file(record, events)
    of_target = states(own)
    of_machine = []
    for fact in record.facts:
        target = Target.of(fact)
        state = of_target.pop(target, None)
        figure, outdated = _machine_figure(target, fact, state)
        of_machine.append(figure)
        orphaned += outdated
    added: list[Figure] = []
    for target, state in of_target.items():
        if any(event.action == "add" for event in state.effective):
            added.append(_added_figure(target, state))
        else:
            orphaned += [Orphan(event, "the record has no such figure any more") for event in state.effective]
    added.sort(key=lambda figure: (figure.target.start, figure.target.end, figure.target.path))
    return Reviewed((*of_machine, *added), tuple(sorted(orphaned, key=lambda each: each.event.number)))


def _of_this_file(record: Record, events: Iterable[ReviewEvent]) -> tuple[list[ReviewEvent], list[Orphan]]:
    """Changes made on these bytes; those on another file of the same name are left out."""
    own: list[ReviewEvent] = []
    others: list[ReviewEvent] = []
    for event in events:
        (own if event.sha256 == record.sha256 else others).append(event)
    orphaned = [
        Orphan(event, "made on another file of this name")
        for state in states(others).values()
        for event in state.effective
    ]
    return own, orphaned


def _machine_figure(target: Target, fact: Fact, state: TargetState | None) -> tuple[Figure, list[Orphan]]:
    if state is None:
        return Figure(target, fact), []
    applied = tuple(event for event in state.effective if _applies(event, fact))
    outdated = [
        Orphan(event, "the machine reads this place otherwise now")
        for event in state.effective
        if event not in applied
    ]
    verdict, human = _outcome(applied)
    last = applied[-1] if applied else None
    return Figure(target, fact, human, verdict, last, state.base, applied), outdated


def _applies(event: ReviewEvent, fact: Fact) -> bool:
    """Whether a change speaks of the machine's fact of now, which may be of another extraction.

    What was confirmed must be read as it was then; what was corrected or removed need only be the same
    print.
    """
    seen = event.seen
    if seen is None:
        return True
    if seen.raw != fact.raw:
        return False
    is_same = (seen.value, seen.status, seen.bound) == (fact.value, fact.status, fact.bound)
    return is_same or event.action != "confirm"


def _added_figure(target: Target, state: TargetState) -> Figure:
    verdict, human = _outcome(state.effective)
    if verdict == "corrected":
        verdict = "added"
    if human is None:
        human = next(event.fact for event in reversed(state.effective) if event.fact is not None)
    return Figure(target, None, human, verdict, state.effective[-1], state.base, state.effective)


def _outcome(effective: Sequence[ReviewEvent]) -> tuple[Verdict, Fact | None]:
    """What the newest change comes to; a confirmation keeps what stood before it."""
    for event in reversed(effective):
        if event.action == "remove":
            return "removed", None
        if event.fact is not None:
            return "corrected", event.fact
    return ("confirmed", None) if effective else ("unchecked", None)


def _in_force(found: Sequence[Figure]) -> tuple[Fact, ...]:
    facts = [figure.fact for figure in found if figure.machine is not None and figure.fact is not None]
    for figure in found:
        if figure.machine is None and figure.fact is not None:
            facts.insert(_position(facts, figure.fact), figure.fact)
    return tuple(facts)


def _position(facts: Sequence[Fact], added: Fact) -> int:
    """After the last fact of the same source that is printed before it: order of print counts for prose."""
    position = len(facts)
    for index in range(len(facts) - 1, -1, -1):
        if facts[index].source == added.source:
            if facts[index].evidence.start <= added.evidence.start:
                return index + 1
            position = index
    return position
