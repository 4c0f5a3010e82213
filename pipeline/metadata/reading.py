"""Who reports, for which year and period, published and signed when: the `meta` facts.

    title, signature, metadata, text → issuer → type, level, division
    title, period, text → year        period, publication, signature, telephone

Every fact points at the characters that decided it. What cannot be told is left out;
where a place stayed open a finding says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.fact import Fact, Finding
from pipeline.metadata.dates import Period, PrintedDate, find_dates, find_period, find_years
from pipeline.metadata.divisions import Gazetteer, gazetteer
from pipeline.metadata.hints import hint_findings
from pipeline.metadata.issuers import (
    Signature,
    Title,
    body_issuer,
    find_signature,
    find_title,
    full_name,
    head_spans,
    is_body,
    is_second_half,
    issuer_type,
)
from pipeline.metadata.levels import issuer_level
from pipeline.metadata.phones import contact_phone
from pipeline.metadata.places import Place, locate
from pipeline.metadata.recognise import is_report, require_report
from pipeline.printed import Printed, evidence_of, pack

__all__ = ["MetadataReading", "is_report", "read_metadata", "require_report"]

_ISSUER_LABELS = tuple(
    "发布机构 发布机关 发布单位 发文机关 发文单位 发文机构 公开机构 公开主体 SiteName".split()
)
# The day a report was put on line goes before the day it was drawn up.
_PUBLISHED_LABELS = tuple(
    "发布日期 发布时间 公开日期 公开时间 发文日期 印发日期 PubDate "
    "成文日期 生成日期 生成时间 形成日期 日期 时间".split()
)
_PUBLISHED_IN_LINE = re.compile(r"(?:发布|公开|发文|印发|成文|生成)(?:日期|时间)[】\])）]?[：:]?(?=[\d二])")


@dataclass(frozen=True, slots=True)
class MetadataReading:
    """The `meta` facts of a document and what could not be placed."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Reporter:
    """The issuer with what was resolved for it."""

    issuer: Printed | None
    place: Place


def read_metadata(document: Document) -> MetadataReading:
    """Issuer, place, year, period, dates and telephone of a report, as far as they are printed."""
    title, signature, period = find_title(document), find_signature(document), find_period(document)
    year = _year(document, title, period)
    table = gazetteer(None if year is None else year[0])
    reporter = _reporter(document, title, signature, table)
    facts = [
        *_reporter_facts(document, reporter),
        *([_fact(document, "meta.year", year[0], year[1])] if year is not None else []),
        *_date_facts(document, period, signature),
    ]
    phone = contact_phone(document)
    if phone is not None:
        facts.append(_fact(document, "meta.phone", phone.text.replace(" ", ""), phone))
    findings = (*_findings(document, reporter, table), *hint_findings(document.hint, facts, table))
    return MetadataReading(tuple(facts), findings)


def _fact(document: Document, path: str, value: int | str, printed: Printed) -> Fact:
    return Fact(
        path=path,
        value=value,
        raw=document.slice(printed.span),
        source="metadata",
        method="rule",
        evidence=evidence_of(document, printed.span),
    )


def _year(document: Document, title: Title | None, period: Period | None) -> tuple[int, Printed] | None:
    """The year of the title, else of the period, else the first year of the text before 公开."""
    if title is not None and title.year is not None and title.year_printed is not None:
        return title.year, title.year_printed
    for edge in (period.end, period.start) if period is not None else ():
        if edge is not None:
            return edge.value.year, Printed(document.slice(edge.span), edge.span)
    for block in document.blocks:
        packed = pack(document.text, block.span)
        if block.table is None and "公开" in packed.text:
            for year, printed in find_years(packed):
                return year, printed
    return None


def _reporter(document: Document, title: Title | None, signature: Signature, table: Gazetteer) -> _Reporter:
    issuer = _issuer(document, title, signature, table)
    names = [title.name if title is not None else None, issuer, signature.name]
    distinct = list(dict.fromkeys(name for name in names if name is not None))
    return _Reporter(issuer, locate(document, distinct, table))


def _issuer(
    document: Document, title: Title | None, signature: Signature, table: Gazetteer
) -> Printed | None:
    """The issuer as printed: title, signature, metadata, text. A title may give only the place."""
    name = title.name if title is not None else None
    if name is not None and is_body(name.text):
        return name
    if name is not None:
        signed = signature.name
        if signed is not None and signed.text.startswith(name.text):
            return signed
        return full_name(document, name) or name
    return signature.name or _labelled_issuer(document) or body_issuer(document, table)


def _labelled_issuer(document: Document) -> Printed | None:
    for label in _ISSUER_LABELS:
        for item in document.metadata:
            packed = pack(document.text, item.span)
            if item.label == label and is_body(packed.text):
                return packed.piece(0, len(packed.text))
    return None


def _reporter_facts(document: Document, reporter: _Reporter) -> Iterator[Fact]:
    issuer, place = reporter.issuer, reporter.place
    if issuer is not None:
        kind = issuer_type(issuer.text)
        yield _fact(document, "meta.issuer", issuer.text, issuer)
        yield _fact(document, "meta.issuer_type", kind, issuer)
        level = issuer_level(document, issuer, kind, place)
        if level is not None:
            yield _fact(document, "meta.level", level.name, level.printed)
    if place.code is not None and place.printed is not None:
        yield _fact(document, "meta.division_code", place.code, place.printed)


def _date_facts(document: Document, period: Period | None, signature: Signature) -> Iterator[Fact]:
    dates = {
        "meta.period_start": period.start if period is not None else None,
        "meta.period_end": period.end if period is not None else None,
        "meta.published_on": _published(document),
        "meta.signed_on": signature.day,
    }
    for path, day in dates.items():
        if day is not None:
            printed = Printed(document.slice(day.span), day.span)
            yield _fact(document, path, day.value.isoformat(), printed)


def _published(document: Document) -> PrintedDate | None:
    """The day of publication: labelled metadata, a labelled date in the text, a date under the title."""
    for label in _PUBLISHED_LABELS:
        for item in document.metadata:
            if item.label == label:
                for day in find_dates(pack(document.text, item.span)):
                    return day
    return _labelled_date(document) or _date_under_title(document)


def _labelled_date(document: Document) -> PrintedDate | None:
    for block in document.blocks:
        packed = pack(document.text, block.span)
        if block.table is not None or "。" in packed.text:
            continue
        match = _PUBLISHED_IN_LINE.search(packed.text)
        if match is not None:
            start = packed.places[match.end()]
            found = next((day for day in find_dates(packed) if day.span.start == start), None)
            if found is not None:
                return found
    return None


def _date_under_title(document: Document) -> PrintedDate | None:
    """A line in front of the first chapter that is a date, perhaps in brackets."""
    for span in head_spans(document):
        packed = pack(document.text, span)
        day = next(find_dates(packed), None)
        is_alone = day is not None and len(packed.text) <= day.span.end - day.span.start + 2
        if is_alone and not is_second_half(document, span):
            return day
    return None


def _findings(document: Document, reporter: _Reporter, table: Gazetteer) -> Iterator[Finding]:
    """`meta.place_ambiguous` (`expected`: the candidates' codes), `meta.place_unknown` with the name."""
    place = reporter.place
    printed = place.unknown or reporter.issuer
    evidence = () if printed is None else (evidence_of(document, printed.span),)
    name = "no issuer" if printed is None else printed.text
    if place.by_hint:
        yield Finding(
            rule="meta.place_by_hint",
            severity="note",
            paths=("meta.division_code",),
            printed=name,
            message=f"{name}: several places have this name; sources.csv tells that it is {place.code}",
            evidence=evidence,
        )
    if place.candidates:
        listed = ", ".join(f"{each.code} {table.full_name(each)}" for each in place.candidates)
        yield Finding(
            rule="meta.place_ambiguous",
            severity="warning",
            paths=("meta.division_code",),
            expected=", ".join(each.code for each in place.candidates),
            printed=name,
            message=f"{name}: the place may be any of {listed}; nothing printed tells which",
            evidence=evidence,
        )
    elif place.code is None:
        yield Finding(
            rule="meta.place_unknown",
            severity="note",
            paths=("meta.division_code",),
            printed=name,
            message=f"{name}: no division of GB/T 2260 is printed for it, neither as a name nor as a code",
            evidence=evidence,
        )
