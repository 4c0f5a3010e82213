"""A document → its facts and findings: metadata, tables, prose, text items, then checks.

Of what is attached to a report only tables are read that it does not print itself, unless the
report is nothing but a page around its attachment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.checks import check_facts
from pipeline.document import Document
from pipeline.errors import UsageError
from pipeline.fact import Evidence, Fact, Finding, Templates, Usage
from pipeline.fill.report import fill_report
from pipeline.legibility import by_legibility
from pipeline.metadata.reading import is_report, read_metadata
from pipeline.model.question import Question, Reply, Steps, drive
from pipeline.prose.facts import facts_of
from pipeline.prose.label import USUAL_OPTIONS, LabelOptions, label_mentions
from pipeline.prose.mentions import find_mentions, overlong_sentences
from pipeline.prose.textitems import find_text_items
from pipeline.prose.wording import as_labelled, confidence_of, label_by_wording
from pipeline.tables.reading import read_tables

Strategy = Literal["label", "fill", "rules"]
NOTE_RULE, LOSS_RULE = "read.note", "read.loss"


@dataclass(frozen=True)
class Extraction:
    """All that was read from one document, and what it cost."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    templates: Templates
    usage: Usage


def extract_document(
    document: Document,
    strategy: Strategy = "rules",
    ask: Callable[[Sequence[Question]], Sequence[Reply]] | None = None,
    options: LabelOptions = USUAL_OPTIONS,
) -> Extraction:
    """Facts and findings of a document, with `ask` for what a model is asked.

    `ask` may be None for `rules` only. Raises UsageError without it, and what it raises.
    """
    if ask is None and strategy != "rules":
        raise UsageError(f"strategy {strategy!r} needs a model; without one use --strategy rules")
    return drive(extraction_steps(document, strategy, options), ask or _nobody)


def _nobody(questions: Sequence[Question]) -> Sequence[Reply]:
    raise UsageError(f"{len(questions)} questions, and no model to ask")


def extraction_steps(
    document: Document, strategy: Strategy, options: LabelOptions = USUAL_OPTIONS
) -> Steps[Extraction]:
    """The same as steps, which ask nobody themselves.

    `fill` lets the model fill the whole schema, tables too: it is the baseline.
    """
    own = _report(document)
    metadata = read_metadata(own)
    year = _year(metadata.facts)
    tables = read_tables(document, year)
    prose = yield from _prose(document if strategy == "fill" else own, strategy, options, year)
    table_facts = () if strategy == "fill" else tables.facts
    found = (*metadata.facts, *table_facts, *prose.facts, *find_text_items(own))
    facts, illegible = by_legibility(document, found)
    reading = (*metadata.findings, *tables.findings, *prose.findings, *_left_alone(own), *illegible)
    templates = _with_document_form(tables.templates)
    checked = check_facts(document.text, facts, templates, reading)
    return Extraction(facts, (*_notes(document), *reading, *checked), templates, prose.usage)


def _report(document: Document) -> Document:
    """The report without its attachments; all of it where the text alone is no report."""
    own = document.without_attachments()
    return own if own is document or is_report(own) else document


def _notes(document: Document) -> tuple[Finding, ...]:
    """How the file was read (`read.note`), and what of it was not (`read.loss`)."""
    losses = (
        Finding(rule=LOSS_RULE, severity="warning", cause="reading", message=f"{LOSS_RULE}: {loss}")
        for loss in document.losses
    )
    notes = (
        Finding(rule=NOTE_RULE, severity="note", message=f"{NOTE_RULE}: {note}") for note in document.notes
    )
    return (*losses, *notes)


@dataclass(frozen=True)
class _Prose:
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    usage: Usage


def _prose(document: Document, strategy: Strategy, options: LabelOptions, year: int | None) -> Steps[_Prose]:
    if strategy == "rules":
        labelled = [
            as_labelled(item, item.path, confidence_of(item))
            for item in label_by_wording(find_mentions(document), year)
            if item.path is not None
        ]
        return _Prose(facts_of(labelled, document), (), Usage())
    if strategy == "label":
        labelling = yield from label_mentions(document, options, year)
        return _Prose(facts_of(labelling.labelled, document), (), labelling.usage)
    filled = yield from fill_report(document)
    return _Prose(filled.facts, filled.findings, filled.usage)


def _left_alone(document: Document) -> Iterator[Finding]:
    """Sentences of the prose that were not searched for figures."""
    for sentence in overlong_sentences(document):
        yield Finding(
            rule="narrative.overlong_sentence",
            severity="warning",
            cause="reading",
            message=f"{len(sentence.text):,} characters without the end of a sentence were left alone: "
            f"{sentence.text.strip()[:20]}…",
            evidence=(Evidence(start=sentence.span.start, end=sentence.span.end, page=sentence.page),),
        )


def _year(facts: tuple[Fact, ...]) -> int | None:
    return next(
        (fact.value for fact in facts if fact.path == "meta.year" and isinstance(fact.value, int)), None
    )


def _with_document_form(templates: Templates) -> Templates:
    """A report without any of the tables is a narrative."""
    if templates.document is not None:
        return templates
    return templates.model_copy(update={"document": "narrative"})
