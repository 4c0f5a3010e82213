"""The form of a gold file: its keys, their types and what each may hold.

YAML is read with the scalar rules of YAML 1.2: only `true`/`false` are booleans, dates
stay text, and digits with a leading zero are text, so that a telephone number is not
read as an octal number.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from evals.values import is_repeatable
from pipeline.errors import GoldError
from pipeline.fact import Bound, Scope, Templates
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, fields

GoldState = Literal["draft", "annotated", "reviewed", "adjudicated"]
MARKS = ("_", "/", "?", "无")
FINDING = re.compile(
    r"(requests|remedies|proactive|stat2014|narrative|cross|year|level|meta)\.[a-z_]+(@[\w.]+)?"
)
STATISTICS_KEY = re.compile(r"[a-z][a-z0-9_]*")


# libyaml reads a file in a tenth of the time; wheels of PyYAML bring it, other builds may not.
if TYPE_CHECKING:
    from yaml import SafeLoader
else:
    SafeLoader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class GoldLoader(SafeLoader):
    """Safe YAML with the scalars of YAML 1.2 and no key twice."""

    # Of this class alone: without it the rules would be added to every safe loader.
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    GoldLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _mapping(loader: GoldLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for position, key in enumerate(keys):
        if key in keys[:position]:
            line = node.value[position][0].start_mark.line + 1
            raise GoldError(f"line {line}: key {key!r} stands twice; each key once")
    return loader.construct_mapping(node, deep=True)


GoldLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _as_text(value: Any) -> Any:
    """A whole number stands for its digits: `phone: 2252138` needs no quotation marks."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cell_entry(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and value not in MARKS:
        raise ValueError(f"a cell holds a figure or one of {' '.join(MARKS)}")
    return value


def _iso_date(value: str) -> str:
    date.fromisoformat(value)
    return value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), BeforeValidator(_iso_date)]


CellEntry = Annotated[int | float | str, BeforeValidator(_cell_entry)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GoldMeta(_Form):
    """Metadata; null where not printed. A key left out was not annotated and is not scored."""

    issuer: Text | None = None
    issuer_type: (
        Literal["government", "government_office", "department", "township", "institution", "zone", "other"]
        | None
    ) = None
    level: Literal["national", "province", "prefecture", "county", "township"] | None = None
    division_code: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^\d{6}$")] | None = None
    year: int | None = Field(default=None, ge=2008, le=2100)
    period_start: IsoDate | None = None
    period_end: IsoDate | None = None
    published_on: IsoDate | None = None
    signed_on: IsoDate | None = None
    phone: Text | None = None


class GoldStatement(_Form):
    """A figure or a zero in words that the prose states. `near`: characters right before `raw`."""

    path: str
    value: int | float | None
    raw: Text
    near: Text | None = None
    status: Literal["value", "zero_in_words", "illegible"] = "value"
    bound: Bound = "exact"
    scope: Scope | None = None
    label: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> GoldStatement:
        if not is_known_path(self.path) or self.path.startswith(("meta.", "text.")):
            raise ValueError(f"path {self.path!r} is unknown; allowed are the number paths of the contract")
        if is_repeatable(self.path) != (self.label is not None):
            raise ValueError(
                f"label goes with proactive.category and with no other path; path is {self.path}"
            )
        if self.status == "zero_in_words" and self.value != 0:
            raise ValueError(f"value is {self.value!r}, but zero_in_words goes with value 0")
        if (self.value is None) != (self.status == "illegible"):
            raise ValueError("value null goes with status illegible and with no other")
        return self


class GoldItem(_Form):
    """A text item: how it starts and how it ends, without enumerator and end punctuation."""

    starts: Text
    ends: Text


class GoldText(_Form):
    """Problems and improvements in the order of the report."""

    problems: list[GoldItem] = []
    improvements: list[GoldItem] = []


class GoldFile(_Form):
    """One annotated document, as written."""

    doc_id: Text
    file: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    status: GoldState
    annotators: list[str]
    prefilled: bool = False
    templates: Templates
    meta: GoldMeta
    proactive: dict[str, dict[str, CellEntry]] = {}
    requests: dict[str, list[CellEntry]] = {}
    remedies: dict[str, list[CellEntry]] = {}
    statistics: dict[str, CellEntry] = {}
    narrative: list[GoldStatement] = []
    text: GoldText = GoldText()
    findings: list[str] = []
    notes: str | None = None

    @model_validator(mode="after")
    def _places_exist(self) -> GoldFile:
        for item, columns in self.proactive.items():
            for column in columns:
                _need_path(f"proactive.{item}.{column}", "an item and column of domain.md §2")
        for row, cells in self.requests.items():
            _need_path(f"requests.{row}.natural_person", "a row of the requests table")
            _need_length(f"requests.{row}", cells, APPLICANTS)
        for block, cells in self.remedies.items():
            if block not in REMEDY_BLOCKS:
                raise ValueError(f"remedies.{block} is unknown; allowed: {', '.join(REMEDY_BLOCKS)}")
            _need_length(f"remedies.{block}", cells, OUTCOMES)
        for key in self.statistics:
            _need_path(f"statistics.{key}", "a key of the 2014 table in small letters")
        for finding in self.findings:
            if FINDING.fullmatch(finding) is None:
                raise ValueError(f"findings: {finding!r} is no rule@column, rule@row or rule@block")
        return self


def is_known_path(path: str) -> bool:
    """Whether the contract has `path`; statistics take any key in small letters."""
    group, _, key = path.partition(".")
    return path in fields() or (group == "statistics" and STATISTICS_KEY.fullmatch(key) is not None)


def _need_path(path: str, allowed: str) -> None:
    if not is_known_path(path):
        raise ValueError(f"{path} is unknown; allowed: {allowed}")


def _need_length(key: str, cells: list[CellEntry], columns: tuple[str, ...]) -> None:
    if len(cells) != len(columns):
        raise ValueError(f"{key} has {len(cells)} cells; needed are {len(columns)}: {', '.join(columns)}")


def read_gold_file(path: Path) -> GoldFile:
    """Load and validate one gold file.

    Raises GoldError with the file, the key, what stands there and what is allowed.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=GoldLoader)
    except GoldError as error:
        raise GoldError(f"{path}: {error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GoldError(f"{path}: no valid YAML in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise GoldError(
            f"{path}: holds {type(content).__name__}; needed is a mapping with doc_id, file, sha256 …"
        )
    if isinstance(content.get("templates"), dict):
        content["templates"] = _templates(path, content["templates"])
    try:
        gold = GoldFile.model_validate(content)
    except ValidationError as error:
        raise GoldError(f"{path}: {_explain(error)}") from None
    if gold.doc_id != path.stem:
        raise GoldError(f"{path}: doc_id is {gold.doc_id!r}; it must be the name of the file, {path.stem!r}")
    return gold


def _templates(path: Path, content: dict[str, Any]) -> Templates:
    try:
        return Templates.model_validate(content)
    except ValidationError as error:
        raise GoldError(f"{path}: templates.{_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first faults of a file, a clause each: key, what stands there, what is allowed."""
    clauses: dict[str, str] = {}
    for fault in error.errors():
        key = ".".join(
            str(part) for part in fault["loc"] if not str(part).startswith(("literal[", "function-"))
        )
        shown = repr(fault["input"])
        said = fault["msg"].removeprefix("Value error, ")
        clauses.setdefault(key, f"{key}: {said}; found {shown[:80]}" if key else said)
    listed = list(clauses.values())
    more = f" (and {len(listed) - 3} more)" if len(listed) > 3 else ""
    return "; ".join(listed[:3]) + more
