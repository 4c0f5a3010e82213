"""The form that a model fills in whole: an answer model and a field list, made from the schema."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

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

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, json_schema_extra=_require_all)


@dataclass(frozen=True)
class FillForm:
    """Fields nested by group, null where not mentioned. Travels between processes as its paths alone."""

    paths: tuple[str, ...]
    in_words: ClassVar[str | None] = None

    @property
    def answer_type(self) -> type[BaseModel]:
        """The answer as a pydantic model."""
        return _made(self.paths).answer_type

    @property
    def outline(self) -> str:
        """The fields as the prompt lists them."""
        return _made(self.paths).outline

    @property
    def schema_json(self) -> str:
        """The schema of `answer_type`, without titles and descriptions."""
        return _made(self.paths).schema_json

    def check(self, content: str) -> None:
        """Raise ValidationError where the answer is none of `answer_type`."""
        self.answer_type.model_validate_json(content)

    def values(self, content: str) -> dict[str, int | float]:
        """Path → value of the fields that the model filled; null and missing are left out."""
        return filled_values(self.answer_type.model_validate_json(content))


@dataclass(frozen=True)
class _Made:
    """What is made once of a form's paths."""

    answer_type: type[BaseModel]
    outline: str
    schema_json: str


def prose_paths() -> frozenset[str]:
    """Number fields that prose can state once."""
    return frozenset(path for path in prose_fields() if not fields()[path].repeatable)


def fill_form(paths: Collection[str]) -> FillForm:
    """The form of `paths`, in the order of the schema; the statistics table is never asked for."""
    return FillForm(tuple(path for path, spec in fields().items() if path in paths and spec.group in _TOP))


@lru_cache(maxsize=32)
def _made(paths: tuple[str, ...]) -> _Made:
    tree = _tree(paths)
    answer_type = _model(_ROOT, tree)
    schema_json = json.dumps(_bare(answer_type.model_json_schema()), ensure_ascii=False)
    return _Made(answer_type, "\n".join(_outline(tree)), schema_json)


def _bare(schema: Any) -> Any:
    """A schema without words: the prompt lists the fields with their meanings, and schemas cost tokens."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _bare(each) for name, each in value.items()}
        if key in ("properties", "$defs")
        else _bare(value)
        for key, value in schema.items()
        if key not in ("title", "description")
    }


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
