"""Filled values → facts, each with the place where its figure is printed; without one, no fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from pipeline.document import Document, Span
from pipeline.fact import Evidence, Fact
from pipeline.numerals import find_numerals
from pipeline.prose.facts import LabelledMention, facts_of
from pipeline.prose.fields import prose_fields
from pipeline.prose.mentions import Mention, find_mentions
from pipeline.schema import fields

_CONFIDENCE = 0.5
_WAN = 10_000
_COMMAS = "，；。、："


@dataclass(frozen=True, slots=True)
class Grounded:
    """Facts of the values that are printed, and the paths of those that are not."""

    facts: tuple[Fact, ...]
    ungrounded: tuple[str, ...]


class Grounding:
    """Looks for figures in one document. `table_facts` are what its labels say stands in which cell."""

    def __init__(self, document: Document, table_facts: tuple[Fact, ...]) -> None:
        self._document = document
        self._mentions = find_mentions(document)
        self._cells = {fact.path: fact for fact in table_facts}

    def ground(self, values: Mapping[str, int | float], part: Span) -> Grounded:
        """Ground values that a model read in `part` of the text; a place outside it is none."""
        facts: list[Fact] = []
        labelled: list[LabelledMention] = []
        ungrounded: list[str] = []
        for path, value in values.items():
            mention = self._mention(path, value, part)
            fact = self._cell(path, value, part) or (None if mention else self._elsewhere(path, value, part))
            if fact is not None:
                facts.append(fact)
            elif mention is not None:
                labelled.append(LabelledMention(mention, path, "fill", _CONFIDENCE))
            else:
                ungrounded.append(path)
        prose = (fact.model_copy(update={"confidence": None}) for fact in facts_of(labelled, self._document))
        return Grounded((*facts, *prose), tuple(ungrounded))

    def _cell(self, path: str, value: int | float, part: Span) -> Fact | None:
        """The cell that the labels give to `path`, when the same figure stands there."""
        fact = self._cells.get(path)
        if (
            fact is None
            or fact.value != value
            or not part.covers(Span(fact.evidence.start, fact.evidence.end))
        ):
            return None
        return fact.model_copy(update={"method": "fill", "confidence": None})

    def _mention(self, path: str, value: int | float, part: Span) -> Mention | None:
        """The mention of this value that fits the field best by measure word and nearby words."""
        if path not in prose_fields():
            return None
        fitting = [
            mention
            for mention in self._mentions
            if part.covers(mention.span) and _same(path, value, mention) and _can_mean(path, mention)
        ]
        return max(fitting, key=lambda mention: (_likeness(path, mention), -mention.span.start), default=None)

    def _elsewhere(self, path: str, value: int | float, part: Span) -> Fact | None:
        """Any cell or line of the part that prints this figure: right or not, it is not invented."""
        for span in self._printed(value, part):
            table, row, column = self._place(span)
            return Fact(
                path=path,
                value=value,
                raw=self._document.slice(span),
                unit=fields()[path].unit,
                source="narrative" if table is None else "table",
                method="fill",
                evidence=Evidence(
                    start=span.start,
                    end=span.end,
                    page=self._document.page_of(span),
                    table=table,
                    row=row,
                    column=column,
                ),
            )
        return None

    def _printed(self, value: int | float, part: Span) -> Iterator[Span]:
        for numeral in find_numerals(self._document.text, part.start, part.end):
            if numeral.value == value:
                yield numeral.span

    def _place(self, span: Span) -> tuple[int | None, int | None, int | None]:
        for table in self._document.tables:
            if table.span.covers(span):
                cell = next((cell for cell in table.cells if cell.span.covers(span)), None)
                return table.index, cell.row if cell else None, cell.column if cell else None
        return None, None, None


def _same(path: str, value: int | float, mention: Mention) -> bool:
    """Whether the mention prints this value; money of a mention is in yuan."""
    factor = _WAN if fields()[path].kind == "wan_yuan" else 1
    return abs(mention.value - value * factor) < 1e-6


def _can_mean(path: str, mention: Mention) -> bool:
    """A figure needs a fitting measure word, a denial must name what it denies."""
    if mention.kind == "zero":
        return _likeness(path, mention)[0] > 0
    return mention.unit in prose_fields()[path].units


def _likeness(path: str, mention: Mention) -> tuple[int, int]:
    """How many pairs of characters of the field's labels stand in the mention's clause, and around it."""
    label = prose_fields()[path].label + " " + fields()[path].label
    pairs = {label[index : index + 2] for index in range(len(label) - 1)}
    sentence = mention.sentence
    around = sentence.text + (sentence.headings[-1] if sentence.headings else "")
    near = _clause(mention)
    return sum(pair in near for pair in pairs), sum(pair in around for pair in pairs)


def _clause(mention: Mention) -> str:
    """What a denial is about, for a figure the words between the commas around it."""
    sentence = mention.sentence
    offset = sentence.span.start
    if mention.subject is not None:
        return sentence.text[mention.subject.start - offset : mention.subject.end - offset]
    begin = max(map(partial(_last, sentence.text, mention.span.start - offset), _COMMAS))
    ends = (sentence.text.find(comma, mention.span.end - offset) for comma in _COMMAS)
    return sentence.text[begin + 1 : min((end for end in ends if end >= 0), default=len(sentence.text))]


def _last(text: str, before: int, comma: str) -> int:
    return text.rfind(comma, 0, before)
