"""Which of the three tables a line belongs to, and which form (2019 or 2021) a table has.

The form is told from the labels that are printed, for each table on its own: hybrids of
a 2021 proactive table and a 23-row requests table are real.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from pipeline.fact import Template, Templates
from pipeline.schema import (
    APPLICANTS,
    OUTCOMES,
    REMEDY_BLOCKS,
    Kind,
    Proactive,
    fields,
    request_rows,
)
from pipeline.tables.labels import LabelSet, read_label

TableKind = Literal["proactive", "requests", "remedies"]
TableTemplate = Literal["table2019", "table2021"]
KINDS: tuple[TableKind, ...] = ("proactive", "requests", "remedies")

# Keys of header labels that are no column of their own.
PARENT_APPLICANTS, PARENT_ORGANISATIONS, PARENT_LITIGATION = "@applicants", "@organisations", "@litigation"
CORNER = "@corner"
GROUP_PREFIX = "group:"

_CAPTION = re.compile(r"第二十条第?\(?[一二三四五六七八九十]+\)?项?")
_CORNER = re.compile(r"本列数据|勾稽关系|^信息内容$|^项目$|^内容$|^类别$|^指标$|^单位件?$")

# Wordings that places use beside those of the national forms.
_ROW_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "new_received": ("本年新收政府信息公开申请数", "本年新收申请数量"),
    "carried_in": ("上年结转政府信息公开申请数", "上年结转申请数量"),
    "partially_granted": ("部分公开（区分处理的，只计这一情形，不计其他情形）",),
    "denied_law_prohibits": ("其他法律、行政法规禁止公开",),
    "concluded": ("合计",),
    "carried_out": ("结转下年度继续办理数量",),
    "other_misc": ("其他情形",),
}
_APPLICANT_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "total": ("合计",),
    PARENT_APPLICANTS: ("申请人情况", "申请人"),
    PARENT_ORGANISATIONS: ("法人或其他组织", "法人或者其他组织"),
}
_ITEM_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "regulations": ("政府规章",),
    "normative_documents": ("规范性文件",),
    "procurement": ("集中采购",),
}
_COLUMN_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "decisions": ("处理决定数量",),
    "made": ("本年制作数量",),
    "disclosed_total": ("对外公开总数",),
    "amount_wan_yuan": ("本年收费金额（单位：万元）", "本年收费金额（单位：元）"),
    "amount_yuan": ("采购总金额（单位：万元）", "采购总金额（单位：元）"),
    "issued": ("本年制发数量",),
    "repealed": ("本年废止数量",),
    "in_force": ("现行有效数量",),
}
_OUTCOME_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "upheld": ("维持",),
    "corrected": ("纠正",),
    "total": ("合计",),
    PARENT_LITIGATION: ("行政诉讼",),
}


@dataclass(frozen=True, slots=True)
class ExpectedCell:
    """A cell that the form has: where it goes, what it counts, which form has it (None: both)."""

    path: str
    row: str
    column: str
    kind: Kind
    unit: str | None
    template: TableTemplate | None


def _wordings(labels: Mapping[str, str], more: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    keys = dict.fromkeys([*labels, *more])
    return {key: (*((labels[key],) if key in labels else ()), *more.get(key, ())) for key in keys}


def _last_label(path: str) -> str:
    return fields()[path].label.split(" / ")[-1]


@cache
def request_labels() -> LabelSet:
    """Rows of the requests table in both forms, and the group labels beside them."""
    rows = {row.key: row for template in _BOTH for row in request_rows(template)}
    labels = {key: row.label for key, row in rows.items()}
    # 其他处理 is a row in 2019 and a group in 2021: it stays under its row key.
    groups = {row.group for row in rows.values() if row.group} - {labels["other_outcome"]}
    return LabelSet(
        _wordings(labels, _ROW_WORDINGS) | {GROUP_PREFIX + group: (group,) for group in sorted(groups)}
    )


_BOTH: tuple[TableTemplate, ...] = ("table2019", "table2021")


@cache
def applicant_labels() -> LabelSet:
    """Columns of the requests table and the parents above them."""
    labels = {key: _last_label(f"requests.granted.{key}") for key in APPLICANTS}
    return LabelSet(_wordings(labels, _APPLICANT_WORDINGS))


@cache
def outcome_labels() -> LabelSet:
    """Columns of the remedies table, its blocks and the parent 行政诉讼."""
    labels = {key: _last_label(f"remedies.review.{key}") for key in OUTCOMES}
    return LabelSet(_wordings(labels, _OUTCOME_WORDINGS) | _block_wordings())


@cache
def block_labels() -> LabelSet:
    """Blocks of the remedies table alone, for forms that print them as rows."""
    return LabelSet(_block_wordings())


def _block_wordings() -> dict[str, tuple[str, ...]]:
    return {block: (fields()[f"remedies.{block}.total"].label.split(" / ")[-2],) for block in REMEDY_BLOCKS}


@cache
def item_labels() -> LabelSet:
    """Rows of the proactive table in both forms."""
    labels = {cell.row: fields()[cell.path].label.split(" / ")[0] for cell in proactive_cells()}
    return LabelSet(_wordings(labels, _ITEM_WORDINGS))


@cache
def column_labels() -> LabelSet:
    """Columns of the proactive table in both forms."""
    labels = {cell.column: _last_label(cell.path) for cell in proactive_cells()}
    return LabelSet(_wordings(labels, _COLUMN_WORDINGS))


@cache
def proactive_cells() -> tuple[ExpectedCell, ...]:
    """Cells of the proactive table in both forms, in printed order."""
    cells = []
    for path, spec in fields().items():
        parts = path.split(".")
        if parts[0] != "proactive" or len(parts) != 3 or parts[1] == "channel":
            continue
        template = _item_template(parts[1]) or _column_template(parts[1], parts[2])
        cells.append(ExpectedCell(path, parts[1], parts[2], spec.kind, spec.unit, template))
    return tuple(cells)


def _item_template(item: str) -> TableTemplate | None:
    return _template_of(Proactive.model_fields[item].json_schema_extra)


def _column_template(item: str, column: str) -> TableTemplate | None:
    annotation = Proactive.model_fields[item].annotation
    for option in getattr(annotation, "__args__", ()):
        model_fields = getattr(option, "model_fields", None)
        if model_fields:
            return _template_of(model_fields[column].json_schema_extra)
    return None


def _template_of(extra: object) -> TableTemplate | None:
    found = extra.get("template") if isinstance(extra, dict) else None
    return found if found in _BOTH else None


@cache
def expected_cells(kind: TableKind, template: TableTemplate) -> tuple[ExpectedCell, ...]:
    """The cells that a table of this form has, in printed order."""
    if kind == "proactive":
        return tuple(cell for cell in proactive_cells() if cell.template in (None, template))
    if kind == "requests":
        keys = [(row.key, applicant) for row in request_rows(template) for applicant in APPLICANTS]
    else:
        keys = [(block, outcome) for block in REMEDY_BLOCKS for outcome in OUTCOMES]
    return tuple(_count_cell(f"{kind}.{row}.{column}", row, column) for row, column in keys)


def _count_cell(path: str, row: str, column: str) -> ExpectedCell:
    spec = fields()[path]
    return ExpectedCell(path, row, column, spec.kind, spec.unit, None)


def is_caption(printed: str) -> bool:
    """第二十条第（一）项: the line above a part of the proactive table."""
    return bool(_CAPTION.fullmatch(read_label(printed).text))


def is_proactive_header(printed: str) -> bool:
    """Whether a cell can only stand in the header of the proactive table."""
    if is_caption(printed) or read_label(printed).core == "信息内容":
        return True
    return column_labels().plain_match(printed) is not None and item_labels().exact(printed) is None


def is_corner(printed: str) -> bool:
    """What stands above the row labels: 信息内容, or the note on how the rows add up."""
    return bool(_CORNER.search(read_label(printed).text))


# Labels that say nothing about which table they stand in.
_COMMON = frozenset({"other_organisation", "total", "other_misc", "concluded"})


@cache
def _kind_labels() -> Mapping[TableKind, tuple[LabelSet, ...]]:
    return {
        "proactive": (item_labels(), column_labels()),
        "requests": (request_labels(), applicant_labels()),
        "remedies": (outcome_labels(),),
    }


@lru_cache(maxsize=4096)
def kinds_of_label(printed: str) -> frozenset[TableKind]:
    """The tables in which this label stands; empty for 其他, 总计 and unknown text."""
    if is_caption(printed):
        return frozenset({"proactive"})
    if "勾稽关系" in printed:
        return frozenset({"requests"})
    found = set()
    for kind, sets in _kind_labels().items():
        matches = [labels.plain_match(printed) for labels in sets]
        if any(match and match.key not in _COMMON for match in matches):
            found.add(kind)
    return frozenset(found)


def proactive_template(items: Collection[str], columns: Collection[str]) -> TableTemplate | None:
    """The form that has the more of these items and columns to itself; None without a sign."""
    votes = dict.fromkeys(_BOTH, 0)
    only: dict[str, TableTemplate] = {}
    for cell in proactive_cells():
        if cell.template:
            only[cell.column] = cell.template
        if item_template := _item_template(cell.row):
            only[cell.row] = item_template
    for name in (*items, *columns):
        if name in only:
            votes[only[name]] += 1
    if votes["table2019"] == votes["table2021"]:
        return None
    return max(_BOTH, key=lambda template: votes[template])


def requests_template(rows: Collection[str]) -> TableTemplate | None:
    """2021 where （六）其他处理 is split into its rows, 2019 where it is one row with figures."""
    if {"other_not_corrected", "other_fee_unpaid"} & set(rows):
        return "table2021"
    if "other_outcome" in rows:
        return "table2019"
    return "table2021" if "other_misc" in rows else None


def templates_of(proactive: Template | None, requests: Template | None, has_remedies: bool) -> Templates:
    """The forms of a document: it and its remedies table follow the proactive table."""
    document = proactive or requests
    return Templates(
        document=document,
        proactive=proactive,
        requests=requests,
        remedies=document if has_remedies else None,
    )
