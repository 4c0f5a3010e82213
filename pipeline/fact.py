"""What the pipeline says about a document: facts, findings, usage, and the record of them.

The names and values are those of the contract that other people's scripts rely on;
add to them, never rename.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["value", "zero_in_words", "blank", "not_applicable", "illegible"]
Bound = Literal["exact", "at_least", "at_most", "about"]
Source = Literal["table", "narrative", "metadata"]
Method = Literal["table_reader", "rule", "label", "fill", "human"]
Scope = Literal["own", "jurisdiction"]
Severity = Literal["error", "warning", "note"]
Cause = Literal["reading", "report", "scope", "unknown"]
Template = Literal["narrative", "stat2014", "table2019", "table2021"]
RecordStatus = Literal["ok", "flagged", "failed"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Evidence(_Model):
    """Where a figure is printed.

    `start`/`end` are characters of the canonical text. `page` counts from 1;
    `table`, `row` and `column` count from 0 as the table was read.
    """

    start: int
    end: int
    page: int | None = None
    table: int | None = None
    row: int | None = None
    column: int | None = None


class Fact(_Model):
    """One value of one field as the report prints it.

    `value` is None for `blank`, `not_applicable` and `illegible`, 0 for
    `zero_in_words`. Money is in the unit that ends its path. `confidence` is in
    0..1 or None where the method gives none. `alternatives` keeps other readings
    of the same print that were not chosen, as (path, method).
    """

    path: str
    value: int | float | str | None
    status: Status = "value"
    bound: Bound = "exact"
    raw: str
    unit: str | None = None
    source: Source
    method: Method
    scope: Scope | None = None
    evidence: Evidence
    confidence: float | None = Field(default=None, ge=0, le=1)
    label: str | None = None
    alternatives: tuple[tuple[str, Method], ...] = ()


class Finding(_Model):
    """A check that did not hold, or something that the reading could not place.

    `paths` names the fields involved, `expected` and `printed` the two sides of
    the identity, `evidence` the places of the operands. Nothing is altered by it.
    """

    rule: str
    severity: Severity
    paths: tuple[str, ...] = ()
    expected: int | float | str | None = None
    printed: int | float | str | None = None
    cause: Cause = "unknown"
    message: str
    at: str | None = Field(default=None, description="row, column or block of the identity")
    evidence: tuple[Evidence, ...] = ()


class Usage(_Model):
    """What a document cost. Tokens as the endpoint counts them; seconds of wall time."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        """The sum; an unknown cost stays unknown, that of no requests is nothing."""
        costs = [each.cost_usd for each in (self, other) if each.requests or each.cost_usd is not None]
        known = [cost for cost in costs if cost is not None]
        cost = sum(known) if costs and len(known) == len(costs) else None
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            seconds=self.seconds + other.seconds,
            cost_usd=cost,
        )


class RecordPart(_Model):
    """A file whose text the document holds too: of an archive (`inside`), or attached (`beside`)."""

    file: str
    sha256: str
    place: Literal["inside", "beside"]


class RecordHint(_Model):
    """What `sources.csv` says of the document: evidence beside it, not part of it."""

    url: str | None = None
    place: str | None = None
    year: int | None = None


class Templates(_Model):
    """The form of the document and of each of its three tables."""

    document: Template | None = None
    proactive: Template | None = None
    requests: Template | None = None
    remedies: Template | None = None


class Record(_Model):
    """One line of `records.jsonl`.

    `error` is a sentence for a person, `error_code` the stable code of errors.py;
    both are None unless `status` is `failed`. `sha256` is that of `file` alone; `parts` has
    the files inside or beside it that were read with it.
    """

    doc_id: str
    file: str
    sha256: str
    media_type: str | None
    templates: Templates = Templates()
    status: RecordStatus
    error: str | None = None
    error_code: str | None = None
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()
    parts: tuple[RecordPart, ...] = ()
    hint: RecordHint | None = None
