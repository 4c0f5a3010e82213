"""The usual way, kept as the baseline: one structured-output call fills the whole schema.

What the model writes becomes a fact only where its figure is printed; else a finding
`fill.ungrounded`. A report too long for the context is cut into parts at its blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.document import Block, Document, Span
from pipeline.fact import Fact, Finding, Usage
from pipeline.fill.form import FillForm, fill_form, filled_values, prose_paths
from pipeline.fill.grounding import Grounded, Grounding
from pipeline.model.endpoint import Message
from pipeline.model.prompts import load_prompt
from pipeline.tables.reading import TableReading, read_tables
from pipeline.tables.templates import KINDS, expected_cells

if TYPE_CHECKING:
    from pipeline.model.llm import ModelClient

# Prose has about half a token a character, a flattened table up to one: with 1,600 tokens
# of prompt and 3,000 of answer a part of a report fits a context of 8,192.
PART_CHARACTERS = 4300
_TOKENS_A_FIELD = 14
_MIN_ANSWER_TOKENS = 600
_MAX_ANSWER_TOKENS = 3000


@dataclass(frozen=True)
class FillResult:
    """Facts with evidence, findings, and what the answers cost when they were made."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    usage: Usage


def fill_report(document: Document, client: ModelClient, tables_read: Collection[str] = ()) -> FillResult:
    """Let the model fill the number fields of the schema.

    `tables_read` names the tables (`proactive`, `requests`, `remedies`) that are read
    already: their cells are not asked for. Raises ModelError when no answer can be had.
    """
    tables = read_tables(document)
    form = fill_form(_paths(tables, tables_read))
    grounding = Grounding(document, tables.facts)
    parts = tuple(_parts(document))
    facts: dict[str, Fact] = {}
    ungrounded: dict[str, int | float] = {}
    usage = Usage()
    for number, part in enumerate(parts, start=1):
        values, cost = _ask(document, client, form, part, number, len(parts))
        usage += cost
        grounded: Grounded = grounding.ground(values, part)
        for fact in grounded.facts:
            facts.setdefault(fact.path, fact)
        ungrounded.update((path, values[path]) for path in grounded.ungrounded)
    findings = [_ungrounded(path, value) for path, value in ungrounded.items() if path not in facts]
    if len(parts) > 1:
        findings.append(_cut(len(parts)))
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


def _ask(
    document: Document, client: ModelClient, form: FillForm, part: Span, number: int, parts: int
) -> tuple[dict[str, int | float], Usage]:
    prompt = load_prompt("fill")
    system = prompt.fill(fields=form.outline, part=number, parts=parts)
    answer = client.ask(
        (Message("system", system), Message("user", document.slice(part))),
        form.answer_type,
        prompt_sha256=prompt.sha256,
        max_tokens=min(_MAX_ANSWER_TOKENS, max(_MIN_ANSWER_TOKENS, _TOKENS_A_FIELD * len(form.paths))),
    )
    return filled_values(answer.value), answer.stored_usage


def _parts(document: Document) -> Iterator[Span]:
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
    """Blocks; one that is too long for a part by its lines, those by characters."""
    for block in document.blocks:
        yield from [block.span] if _length(block.span) <= PART_CHARACTERS else _split(document, block)


def _split(document: Document, block: Block) -> Iterator[Span]:
    start = block.span.start
    for line in document.slice(block.span).splitlines(keepends=True):
        for offset in range(0, len(line), PART_CHARACTERS):
            piece = line[offset : offset + PART_CHARACTERS]
            yield Span(start, start + len(piece))
            start += len(piece)


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
