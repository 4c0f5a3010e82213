"""One record in the terminal: the tables as the forms print them, prose with its words, findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table

from pipeline.cli.shown import review_table, shown_figure
from pipeline.cli.shown import shown_value as shown_value
from pipeline.errors import StartError
from pipeline.fact import Fact, Record, Severity, Source
from pipeline.runs.corrected import Figure, Reviewed, figures, reviewed
from pipeline.runs.in_force import record_in_force
from pipeline.runs.record import read_records, read_text
from pipeline.runs.reviews import read_reviews
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, Requests, fields, request_rows
from pipeline.terminal import plain

_CONTEXT_CHARACTERS = 16
_SEVERITY_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "dim"}
_NAMED = 12
_FORMS: tuple[Literal["table2019", "table2021"], ...] = ("table2019", "table2021")


def find_record(folder: Path, name: str) -> Record:
    """The record whose `doc_id`, file or hash is `name`, else the only one that begins with it.

    Raises StartError that names what there is.
    """
    beginning: list[Record] = []
    known: list[str] = []
    for record in read_records(folder):
        if name in (record.doc_id, record.file, record.sha256):
            return record
        known.append(record.doc_id)
        if record.doc_id.startswith(name) or record.sha256.startswith(name):
            beginning.append(record)
    if len(beginning) == 1:
        return beginning[0]
    if beginning:
        raise StartError(f"{name!r} begins several documents: {_some([item.doc_id for item in beginning])}")
    raise StartError(f"{folder} has no document {name!r}; it has {_some(known)}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} others" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more


def render_record(record: Record, text: str | None, review: Reviewed | None = None) -> RenderableType:
    """The whole record for a console. `text` is the canonical text, None where it is missing.

    With a `review` every figure is shown with what a person said of it; `record` then has the facts
    in force.
    """
    parts: list[RenderableType] = [_heading(record)]
    shown = figures(record, ()) if review is None else review.figures
    by_source: dict[Source, list[Figure]] = {"metadata": [], "table": [], "narrative": []}
    # What was added and removed again is in the list of changes only.
    for figure in shown:
        if (fact := _printed(figure)) is not None:
            by_source[fact.source].append(figure)
    in_tables = by_source["table"]
    # A reading in force goes before one that was removed.
    table = {_path(each): each for each in sorted(in_tables, key=lambda each: each.fact is not None)}
    parts += _section("基本信息 metadata", _list_table(by_source["metadata"], text))
    parts += _section("主动公开 proactive (table)", _list_table(_proactive(in_tables), text))
    parts += _section("依申请公开 requests (table)", _requests_table(table))
    parts += _section("复议诉讼 remedies (table)", _remedies_table(table))
    parts += _section("统计表 statistics (table)", _list_table(_statistics(in_tables), text))
    parts += _section("正文 prose", _list_table(by_source["narrative"], text))
    parts += _section("核查 findings", _findings_table(record))
    if review is not None:
        parts += _section("人工复核 review", review_table(review))
    return Group(*parts)


def _printed(figure: Figure) -> Fact | None:
    """The reading whose place and field are shown: that in force, else the one that was removed."""
    return figure.fact or figure.machine


def _path(figure: Figure) -> str:
    fact = _printed(figure)
    return figure.target.path if fact is None else fact.path


def show_record(folder: Path, name: str) -> RenderableType:
    """`render_record` for a document of a run, with what people said of its figures."""
    record = find_record(folder, name)
    text = read_text(folder, record.sha256)
    events = read_reviews(folder).events_of(record.doc_id)
    if not events:
        return render_record(record, text)
    return render_record(record_in_force(folder, record, events), text, reviewed(record, events))


def _heading(record: Record) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    usage = record.usage
    rows = {
        "document": record.doc_id,
        "file": record.file,
        "sha256": record.sha256,
        "status": record.status if record.error is None else f"{record.status} ({record.error_code})",
        "error": record.error,
        "parts": ", ".join(part.file for part in record.parts),
        "forms": ", ".join(f"{name} {form}" for name, form in record.templates.model_dump().items() if form),
        "cost": f"{usage.requests} requests, {usage.input_tokens} + {usage.output_tokens} tokens, "
        f"{usage.seconds:.1f} s",
    }
    for name, value in rows.items():
        if value:
            table.add_row(plain(name, "dim"), plain(value))
    return table


def _section(title: str, content: RenderableType | None) -> list[RenderableType]:
    return [] if content is None else [Rule(plain(title), align="left", style="dim"), content]


def _proactive(shown: Iterable[Figure]) -> list[Figure]:
    """Figures of tables that have no matrix of their own."""
    return [each for each in shown if not _path(each).startswith(("requests.", "remedies.", "statistics."))]


def _statistics(shown: Iterable[Figure]) -> list[Figure]:
    return [each for each in shown if _path(each).startswith("statistics.")]


def _list_table(shown: Sequence[Figure], text: str | None) -> Table | None:
    if not shown:
        return None
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("field", no_wrap=True)
    for header in ("", "value", "in the source"):
        table.add_column(header, overflow="fold")
    for figure in shown:
        if (fact := _printed(figure)) is None:
            continue
        spec = fields().get(fact.path)
        label = fact.label or (spec.label if spec else "")
        value = plain(shown_figure(figure), "bold")
        table.add_row(plain(fact.path), plain(label, "dim"), value, _snippet(fact, text))
    return table


def _snippet(fact: Fact, text: str | None) -> RenderableType:
    if text is None:
        return plain(fact.raw)
    start, end = fact.evidence.start, fact.evidence.end
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    before = text[max(line_start, start - _CONTEXT_CHARACTERS) : start]
    after = text[end : min(line_end if line_end >= 0 else len(text), end + _CONTEXT_CHARACTERS)]
    # Tabs part the cells of a table in the canonical text.
    parts = [part.replace("\t", " ").replace("\n", " ") for part in (before, text[start:end], after)]
    return plain(parts[0], "dim") + plain(parts[1], "bold") + plain(parts[2], "dim")


def _requests_table(found: dict[str, Figure]) -> Table | None:
    rows = [f"requests.{key}" for key in Requests.model_fields]
    present = [row for row in rows if any(f"{row}.{applicant}" in found for applicant in APPLICANTS)]
    return _matrix(present, APPLICANTS, found) if present else None


def _remedies_table(found: dict[str, Figure]) -> Table | None:
    blocks = [f"remedies.{block}" for block in REMEDY_BLOCKS]
    return _matrix(blocks, OUTCOMES, found) if any(path.startswith("remedies.") for path in found) else None


def _matrix(rows: Sequence[str], columns: Sequence[str], found: dict[str, Figure]) -> Table:
    """A row for each of `rows`, a column for each of `columns`, headed by their Chinese labels."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("")
    table.add_column("")
    for column in columns:
        table.add_column(_last_label(f"{rows[0]}.{column}"), justify="right", overflow="fold")
    groups = {f"requests.{row.key}": row.group for form in _FORMS for row in request_rows(form)}
    above = None
    for row in rows:
        label = fields()[f"{row}.{columns[0]}"].label.split(" / ")[0]
        group = groups.get(row)
        cells = [plain(shown_figure(found.get(f"{row}.{column}"))) for column in columns]
        table.add_row(plain(group or "" if group != above else "", "dim"), plain(label), *cells)
        above = group
    return table


def _last_label(path: str) -> str:
    return fields()[path].label.split(" / ")[-1]


def _findings_table(record: Record) -> Table | None:
    if not record.findings:
        return None
    table = Table(box=None, header_style="dim", pad_edge=False)
    for header in ("severity", "finding", "cause"):
        table.add_column(header, overflow="fold")
    for finding in record.findings:
        style = _SEVERITY_STYLES[finding.severity]
        table.add_row(plain(finding.severity, style), plain(finding.message), plain(finding.cause))
    return table
