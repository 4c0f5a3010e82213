"""A document → its facts and findings: metadata, tables, prose, text items, then checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.checks import check_facts
from pipeline.document import Document
from pipeline.errors import UsageError
from pipeline.fact import Fact, Finding, Templates, Usage
from pipeline.fill.report import fill_report
from pipeline.metadata.reading import read_metadata
from pipeline.prose.facts import facts_of
from pipeline.prose.label import label_mentions
from pipeline.prose.mentions import find_mentions
from pipeline.prose.textitems import find_text_items
from pipeline.prose.wording import as_labelled, confidence_of, label_by_wording
from pipeline.tables.reading import read_tables

if TYPE_CHECKING:
    from pipeline.model.llm import ModelClient

Strategy = Literal["label", "fill", "rules"]


@dataclass(frozen=True)
class Extraction:
    """All that was read from one document, and what it cost."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    templates: Templates
    usage: Usage


def extract_document(document: Document, strategy: Strategy, client: ModelClient | None) -> Extraction:
    """Facts and findings of a document.

    `client` may be None for `rules` only. `fill` lets the model fill the whole
    schema, tables too: it is the baseline. Raises ModelError when the model's
    answer cannot be had.
    """
    metadata = read_metadata(document)
    tables = read_tables(document)
    prose = _prose(document, strategy, client, _year(metadata.facts))
    table_facts = () if strategy == "fill" else tables.facts
    facts = (*metadata.facts, *table_facts, *prose.facts, *find_text_items(document))
    reading = (*metadata.findings, *tables.findings, *prose.findings)
    templates = _with_document_form(tables.templates)
    checked = check_facts(document.text, facts, templates, reading)
    return Extraction(facts, (*reading, *checked), templates, prose.usage)


@dataclass(frozen=True)
class _Prose:
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    usage: Usage


def _prose(document: Document, strategy: Strategy, client: ModelClient | None, year: int | None) -> _Prose:
    if strategy == "rules":
        labelled = [
            as_labelled(item, item.path, confidence_of(item))
            for item in label_by_wording(find_mentions(document), year)
            if item.path is not None
        ]
        return _Prose(facts_of(labelled, document), (), Usage())
    if client is None:
        raise UsageError(f"strategy {strategy!r} needs a model; without one use --strategy rules")
    if strategy == "label":
        labelling = label_mentions(document, client, year)
        return _Prose(facts_of(labelling.labelled, document), (), labelling.usage)
    filled = fill_report(document, client)
    return _Prose(filled.facts, filled.findings, filled.usage)


def _year(facts: tuple[Fact, ...]) -> int | None:
    return next(
        (fact.value for fact in facts if fact.path == "meta.year" and isinstance(fact.value, int)), None
    )


def _with_document_form(templates: Templates) -> Templates:
    """A report without any of the tables is a narrative."""
    if templates.document is not None:
        return templates
    return templates.model_copy(update={"document": "narrative"})
