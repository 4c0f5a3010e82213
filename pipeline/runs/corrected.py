"""Record + what people said about it → its figures with both readings, and the facts in force.

The machine's facts stay as they are; a person's reading stands beside them and goes before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    return changed(record, found).facts if found else record.facts


def reviewed(record: Record, events: Iterable[ReviewEvent]) -> Reviewed:
    """The figures with their readings. `events` are those of the record's `doc_id`, in order."""
    found = changed(record, events)
    return Reviewed(found.every_figure, found.orphaned)


@dataclass(frozen=True, slots=True)
class Changed:
    """The figures of a record that events name: of the machine's facts by their place in it, then added ones.

    A record has a hundred facts of which people change a few: those alone are worked on.
    """

    record: Record
    of_machine: Mapping[int, Figure]
    added: tuple[Figure, ...]
    orphaned: tuple[Orphan, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """These alone; the other figures of the record nobody has looked at."""
        return (*self.of_machine.values(), *self.added)

    @property
    def every_figure(self) -> tuple[Figure, ...]:
        """All figures of the record, the machine's in its order, then added ones."""
        found = self.of_machine
        of_machine = (
            found[place] if place in found else Figure(Target.of(fact), fact)
            for place, fact in enumerate(self.record.facts)
        )
        return (*of_machine, *self.added)

    @property
    def edits(self) -> Edits:
        """What people changed of the facts themselves."""
        replaced = {
            place: figure.fact
            for place, figure in self.of_machine.items()
            if figure.fact is not self.record.facts[place]
        }
        return Edits(replaced, tuple(figure.fact for figure in self.added if figure.fact is not None))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts of the record in force."""
        return self.edits.applied(self.record.facts)


@dataclass(frozen=True, slots=True)
class Edits:
    """What people changed of the facts of a record: by their place in it (None: removed), and added ones."""

    replaced: Mapping[int, Fact | None]
    added: tuple[Fact, ...]

    def applied(self, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        """The facts in force."""
        if not self.replaced and not self.added:
            return facts
        found = list(facts)
        for place, fact in self.replaced.items():
            found[place] = fact or found[place]
        for place in sorted((place for place, fact in self.replaced.items() if fact is None), reverse=True):
            del found[place]
        for fact in self.added:
            found.insert(_position(found, fact), fact)
        return tuple(found)


def changed(record: Record, events: Iterable[ReviewEvent]) -> Changed:
    """What `events` come to, those of the record's `doc_id` in order."""
    own, orphaned = _of_this_file(record, events)
    of_target = states(own)
    named = {(each.path, each.start, each.end) for each in of_target}
    of_machine: dict[int, Figure] = {}
    for place, fact in enumerate(record.facts):
        if (fact.path, fact.evidence.start, fact.evidence.end) not in named:
            continue
        target = Target.of(fact)
        if (state := of_target.pop(target, None)) is not None:
            of_machine[place], outdated = _machine_figure(target, fact, state)
            orphaned += outdated
    added: list[Figure] = []
    for target, state in of_target.items():
        if any(event.action == "add" for event in state.effective):
            added.append(_added_figure(target, state))
        else:
            orphaned += [Orphan(event, "the record has no such figure any more") for event in state.effective]
    added.sort(key=lambda figure: (figure.target.start, figure.target.end, figure.target.path))
    return Changed(
        record, of_machine, tuple(added), tuple(sorted(orphaned, key=lambda each: each.event.number))
    )


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


def _machine_figure(target: Target, fact: Fact, state: TargetState) -> tuple[Figure, list[Orphan]]:
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


def _position(facts: Sequence[Fact], added: Fact) -> int:
    """After the last fact of the same source that is printed before it: order of print counts for prose."""
    position = len(facts)
    for index in range(len(facts) - 1, -1, -1):
        if facts[index].source == added.source:
            if facts[index].evidence.start <= added.evidence.start:
                return index + 1
            position = index
    return position
