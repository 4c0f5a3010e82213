"""The usual way, kept as the baseline: one structured-output call fills the whole schema.

What the model writes becomes a fact only where its figure is printed; else a finding
`fill.ungrounded`. A report too long for the context is cut into parts at its blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pipeline.document import Block, Document, Span
from pipeline.errors import AnswerInvalid
from pipeline.fact import Fact, Finding, Usage
from pipeline.fill.cutting import cut_near
from pipeline.fill.form import FillForm, fill_form, prose_paths
from pipeline.fill.grounding import Grounded, Grounding
from pipeline.model.endpoint import Message
from pipeline.model.prompts import load_prompt
from pipeline.model.question import CutOff, Question, Steps
from pipeline.tables.reading import TableReading, read_tables
from pipeline.tables.templates import KINDS, expected_cells

# Prose has about half a token a character, a flattened table up to one: with 1,600 tokens
# of prompt and 3,000 of answer a part of a report fits a context of 8,192.
PART_CHARACTERS = 4300
_TOKENS_A_FIELD = 14
_MIN_ANSWER_TOKENS = 600
_MAX_ANSWER_TOKENS = 3000
_MIN_PART_CHARACTERS = 200


@dataclass(frozen=True)
class FillResult:
    """Facts with evidence, findings, and what the answers cost when they were made."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    usage: Usage


def fill_report(document: Document, tables_read: Collection[str] = ()) -> Steps[FillResult]:
    """Let the model fill the number fields of the schema.

    `tables_read` names the tables (`proactive`, `requests`, `remedies`) that are read
    already: their cells are not asked for.
    """
    tables = read_tables(document)
    form = fill_form(_paths(tables, tables_read))
    grounding = Grounding(document, tables.facts)
    filled, usage = yield from _ask(document, form)
    facts: dict[str, Fact] = {}
    ungrounded: dict[str, int | float] = {}
    for part, values in filled:
        grounded: Grounded = grounding.ground(values, part.span)
        for fact in grounded.facts:
            facts.setdefault(fact.path, fact)
        ungrounded.update((path, values[path]) for path in grounded.ungrounded)
    findings = [_ungrounded(path, value) for path, value in ungrounded.items() if path not in facts]
    if len(filled) > 1:
        findings.append(_cut(len(filled)))
    in_order = sorted(facts.values(), key=lambda fact: (fact.evidence.start, fact.path))
    return FillResult(tuple(in_order), tuple(findings), usage)


def _paths(tables: TableReading, tables_read: Collection[str]) -> frozenset[str]:
    """What prose can state, and the cells of the tables that the document has and nobody has read."""
    forms = {
        "proactive": tables.templates.proactive,
        "requests": tables.templates.requests,
        "remedies": tables.templates.remedies,
    }
    paths = set(prose_paths())
    for kind in KINDS:
        template = forms[kind]
        if kind not in tables_read and template in ("table2019", "table2021"):
            paths.update(cell.path for cell in expected_cells(kind, template))
    return frozenset(paths)


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the document that is asked about; `number` of `parts` is what the prompt says."""

    span: Span
    number: int
    parts: int


def _ask(
    document: Document, form: FillForm
) -> Steps[tuple[list[tuple[_Part, dict[str, int | float]]], Usage]]:
    """What the model filled in of each part, in the order of the text, and what asking cost."""
    spans = tuple(_spans(document))
    pending = [_Part(span, number, len(spans)) for number, span in enumerate(spans, start=1)]
    filled: list[tuple[_Part, dict[str, int | float]]] = []
    usage = Usage()
    while pending:
        replies = yield tuple(_question(document, form, part) for part in pending)
        smaller: list[_Part] = []
        for part, reply in zip(pending, replies, strict=True):
            if isinstance(reply, CutOff):
                usage += reply.usage
                smaller += _halves(document, part, reply)
            else:
                usage += reply.stored_usage
                filled.append((part, form.values(reply.content)))
        pending = smaller
    return sorted(filled, key=lambda each: each[0].span.start), usage


def _question(document: Document, form: FillForm, part: _Part) -> Question:
    prompt = load_prompt("fill")
    system = prompt.fill(fields=form.outline, part=part.number, parts=part.parts)
    return Question(
        messages=(Message("system", system), Message("user", document.slice(part.span))),
        form=form,
        prompt_sha256=prompt.sha256,
        max_tokens=min(_MAX_ANSWER_TOKENS, max(_MIN_ANSWER_TOKENS, _TOKENS_A_FIELD * len(form.paths))),
    )


def _halves(document: Document, part: _Part, cut: CutOff) -> Iterator[_Part]:
    """Two parts instead of one whose answer was cut off, at the line or sentence nearest to its middle."""
    span = part.span
    if _length(span) < _MIN_PART_CHARACTERS:
        raise AnswerInvalid(f"{cut.message}: {_length(span)} characters need no answer of that length")
    place = span.start + cut_near(document.slice(span), _length(span) // 2)
    numbers = (1, 2) if part.parts == 1 else (part.number, part.number)
    for number, piece in zip(numbers, (Span(span.start, place), Span(place, span.end)), strict=True):
        yield replace(part, span=piece, number=number, parts=max(2, part.parts))


def _spans(document: Document) -> Iterator[Span]:
    """Consecutive stretches of at most PART_CHARACTERS that begin and end at lines."""
    start = end = 0
    for line in _lines(document):
        if line.end - start > PART_CHARACTERS and end > start:
            yield Span(start, end)
            start = line.start
        end = line.end
    if end > start:
        yield Span(start, end)


def _lines(document: Document) -> Iterator[Span]:
    """Blocks; one that is too long for a part by its lines, those by sentences."""
    for block in document.blocks:
        yield from [block.span] if _length(block.span) <= PART_CHARACTERS else _split(document, block)


def _split(document: Document, block: Block) -> Iterator[Span]:
    start = block.span.start
    for line in document.slice(block.span).splitlines(keepends=True):
        rest = line
        while rest:
            end = len(rest) if len(rest) <= PART_CHARACTERS else cut_near(rest, PART_CHARACTERS // 2)
            yield Span(start, start + end)
            start, rest = start + end, rest[end:]


def _length(span: Span) -> int:
    return span.end - span.start


def _ungrounded(path: str, value: int | float) -> Finding:
    return Finding(
        rule="fill.ungrounded",
        severity="warning",
        paths=(path,),
        expected=value,
        cause="reading",
        message=f"The model filled {path} with {value}, which is printed nowhere in what it read: no fact.",
    )


def _cut(parts: int) -> Finding:
    return Finding(
        rule="fill.parts",
        severity="note",
        cause="reading",
        message=f"The report was too long for one call and was filled in {parts} parts.",
    )
