"""A run folder as scoring needs it: records, what the run was, and the canonical texts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.gold_file import GoldFile
from pipeline.errors import StartError
from pipeline.fact import Record


@dataclass(frozen=True)
class RunFolder:
    """A run: its records in file order, the last one a document, and the content of `run.json`."""

    folder: Path
    records: tuple[Record, ...]
    manifest: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_hash", {record.sha256: record for record in self.records})
        object.__setattr__(self, "_by_id", {record.doc_id: record for record in self.records})

    @property
    def name(self) -> str:
        """Name of the folder: how reports call the run."""
        return self.folder.name

    def record_of(self, gold: GoldFile) -> Record | None:
        """The record of the annotated file: the same bytes, else the same `doc_id`."""
        by_hash: dict[str, Record] = self.__dict__["_by_hash"]
        by_id: dict[str, Record] = self.__dict__["_by_id"]
        return by_hash.get(gold.sha256) or by_id.get(gold.doc_id)

    def text(self, sha256: str) -> str | None:
        """The canonical text that evidence points into; None where the run did not keep it."""
        path = self.folder / "text" / f"{sha256}.txt"
        if not path.is_file():
            return None
        # Line ends stay as written: evidence counts characters of exactly this text.
        return path.read_bytes().decode("utf-8")


def load_run(folder: Path) -> RunFolder:
    """Read a run folder.

    Raises StartError when it holds no `records.jsonl` or a line of it is no record.
    """
    path = folder / "records.jsonl"
    if not path.is_file():
        raise StartError(f"{folder}: holds no records.jsonl; needed is a folder that `gongkai extract` wrote")
    records: dict[str, Record] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                record = _parse(path, number, line)
                records[record.sha256 + record.doc_id] = record
    return RunFolder(folder, tuple(records.values()), _manifest(folder / "run.json"))


def _parse(path: Path, number: int, line: str) -> Record:
    try:
        return Record.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise StartError(f"{path}, line {number}: {place}: {fault['msg']}") from None


def _manifest(path: Path) -> dict[str, Any]:
    """`run.json`; empty where there is none, as for a run put together by hand."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise StartError(f"{path}: no valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise StartError(f"{path}: holds {type(content).__name__}; needed is an object")
    return content
