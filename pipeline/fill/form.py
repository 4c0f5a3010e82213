"""The form that a model fills in whole: an answer model and a field list, made from the schema."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from pipeline.prose.fields import prose_fields
from pipeline.schema import FieldSpec, fields

_ROOT = "Report"
_WHOLE = frozenset({"count", "change"})


def _require_all(schema: dict[str, Any]) -> None:
    """Have the model decide on each field: left free, a small one writes `{}` and is done."""
    schema["required"] = list(schema.get("properties", {}))
    for item in schema.get("properties", {}).values():
        item.pop("default", None)


class _Group(BaseModel):
    """Fields may be missing when an answer is read, though its schema asks for all of them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_require_all)


@dataclass(frozen=True)
class FillForm:
    """`answer_type` has the fields nested by group, null where not mentioned; `outline` is for the prompt."""

    paths: tuple[str, ...]
    answer_type: type[BaseModel]
    outline: str


def prose_paths() -> frozenset[str]:
    """Number fields that prose can state once."""
    return frozenset(path for path in prose_fields() if not fields()[path].repeatable)


def fill_form(paths: Collection[str]) -> FillForm:
    """The form of `paths`, in the order of the schema; the statistics table is never asked for."""
    return _form(tuple(path for path, spec in fields().items() if path in paths and spec.group in _TOP))


@lru_cache(maxsize=32)
def _form(paths: tuple[str, ...]) -> FillForm:
    tree = _tree(paths)
    return FillForm(paths, _model(_ROOT, tree), "\n".join(_outline(tree)))


_Tree = dict[str, Any]


def _tree(paths: tuple[str, ...]) -> _Tree:
    """Nested by the parts of the path; leaves are FieldSpec."""
    root: _Tree = {}
    for path in paths:
        *groups, leaf = path.split(".")
        node = root
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = fields()[path]
    return root


def _model(name: str, tree: _Tree) -> type[BaseModel]:
    """The answer's type; a group below the top ones may be null as a whole, to save tokens."""
    definitions: dict[str, Any] = {}
    for key, child in tree.items():
        if isinstance(child, FieldSpec):
            kind: Any = (int if child.kind in _WHOLE else float) | None
            definitions[key] = (kind, Field(default=None, description=f"{child.label}: {child.meaning}"))
        else:
            group = _model(f"{name}_{key}", child)
            is_top = name == _ROOT
            definitions[key] = (group if is_top else group | None, None)
    return create_model(name, __base__=_Group, **definitions)


def _outline(tree: _Tree, depth: int = 0) -> list[str]:
    """One line a field or group; columns that a sibling group had already are not listed again."""
    lines: list[str] = []
    indent = " " * depth
    listed: dict[tuple[str, ...], str] = {}
    for key, child in tree.items():
        if isinstance(child, FieldSpec):
            lines.append(f"{indent}{key} {child.label.split(' / ')[-1]}{_unit(child)}")
            continue
        columns = tuple(child)
        label = _group_label(child, depth)
        if columns in listed and all(isinstance(item, FieldSpec) for item in child.values()):
            lines.append(f"{indent}{key} {label}，各项同 {listed[columns]}")
            continue
        listed[columns] = key
        lines += [f"{indent}{key} {label}：", *_outline(child, depth + 1)]
    return lines


def _unit(spec: FieldSpec) -> str:
    return f"（{spec.unit}）" if spec.unit in ("元", "万元") else ""


def _group_label(tree: _Tree, depth: int) -> str:
    """The printed label of a group: part `depth` of its first field's chain of labels, less the top one."""
    leaf: Any = tree
    while isinstance(leaf, dict):
        leaf = next(iter(leaf.values()))
    chain = leaf.label.split(" / ")
    return _TOP[leaf.group] if depth == 0 else str(chain[depth - 1])


_TOP = {
    "proactive": "主动公开",
    "engagement": "解读回应",
    "requests": "依申请公开",
    "fees": "收费减免",
    "remedies": "复议诉讼",
    "complaints": "举报投诉",
    "capacity": "机构人员",
}


def filled_values(answer: BaseModel) -> dict[str, int | float]:
    """Path → value of the fields that the model filled; null and missing are left out."""
    values: dict[str, int | float] = {}
    _collect(answer.model_dump(), "", values)
    return values


def _collect(node: dict[str, Any], prefix: str, values: dict[str, int | float]) -> None:
    for key, value in node.items():
        if isinstance(value, dict):
            _collect(value, f"{prefix}{key}.", values)
        elif value is not None:
            values[prefix + key] = int(value) if value == int(value) else value
