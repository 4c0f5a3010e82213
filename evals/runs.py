"""A run folder as scoring needs it: records, what the run was, and the canonical texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.gold_file import GoldFile
from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.runs.in_force import ReviewCounts, record_in_force, verdicts_of
from pipeline.runs.reviews import REVIEWS, read_reviews


@dataclass(frozen=True, slots=True)
class Made:
    """What a run was made with, as reports name it; None where the run does not say.

    `prompt` is a hash over the prompt files, `weights` the file of an embedded model,
    which names its quantisation. `replayed`: the answers were recorded, not asked for. `checked`: so many
    figures were checked by hand and scored as people left them; None where the machine's reading is scored.
    """

    strategy: str | None
    model: str | None
    weights: str | None
    prompt: str | None
    version: str | None
    commit: str | None
    replayed: bool = False
    checked: int | None = None

    @property
    def en(self) -> str:
        """As part of an English sentence."""
        parts = [f"strategy {self.strategy or '–'}"]
        if self.model:
            parts.append(f"model {self.model}" + (f" from {self.weights}" if self.weights else ""))
        if self.prompt:
            parts.append(f"prompt {self.prompt[:12]}")
        if self.replayed:
            parts.append("answers recorded before")
        by_hand = (
            "" if self.checked is None else f" and corrected by hand, {self.checked} figures being checked"
        )
        return f"with gongkai {self.version or '(unknown version)'} ({', '.join(parts)}){by_hand}"

    @property
    def zh(self) -> str:
        """As part of a Chinese sentence."""
        parts = [f"方法 {self.strategy or '–'}"]
        if self.model:
            parts.append(f"模型 {self.model}" + (f"，权重 {self.weights}" if self.weights else ""))
        if self.prompt:
            parts.append(f"提示词 {self.prompt[:12]}")
        if self.replayed:
            parts.append("回放已记录的回答")
        by_hand = "" if self.checked is None else f"并经人工复核 {self.checked} 项后"
        return f"由 gongkai {self.version or '（版本不明）'}（{'，'.join(parts)}）{by_hand}"


def made_with(manifest: Mapping[str, Any]) -> Made:
    """What `run.json` says of model, prompts and program."""
    resolved = str(manifest.get("model_resolved") or "")
    prompts = manifest.get("prompts") or {}
    return Made(
        strategy=manifest.get("strategy"),
        model=manifest.get("model"),
        weights=resolved.split(" ")[0] if " sha256:" in resolved else None,
        prompt=hashlib.sha256(json.dumps(prompts, sort_keys=True).encode()).hexdigest() if prompts else None,
        version=manifest.get("version"),
        commit=manifest.get("commit"),
        replayed="replay" in (manifest.get("parameters") or {}),
        checked=(manifest.get("review") or {}).get("checked"),
    )


@dataclass(frozen=True)
class RunFolder:
    """A run: its records in file order, the last one a document, and the content of `run.json`."""

    folder: Path
    records: tuple[Record, ...]
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def made(self) -> Made:
        """What the run was made with."""
        return made_with(self.manifest)

    @property
    def name(self) -> str:
        """Name of the folder: how reports call the run."""
        return self.folder.resolve().name

    @property
    def is_reviewed(self) -> bool:
        """Whether people have changed figures of it; `records` are the machine's reading all the same."""
        path = self.folder / REVIEWS
        return path.is_file() and path.stat().st_size > 0

    def as_corrected(self, golds: Sequence[GoldFile]) -> RunFolder:
        """The run with the facts in force after its review; its manifest then has a `review`.

        That counts what was checked in the annotated documents alone: they are what is scored.
        """
        annotated = {id(record) for record in self.records_of(golds).values()}
        reviews, counts, records = read_reviews(self.folder), ReviewCounts(), []
        for record in self.records:
            events = reviews.events_of(record.doc_id)
            if id(record) in annotated:
                counts.add(*verdicts_of(record, events))
            records.append(record_in_force(self.folder, record, events))
        return RunFolder(self.folder, tuple(records), {**self.manifest, "review": counts.as_json()})

    def records_of(self, golds: Sequence[GoldFile]) -> dict[str, Record | None]:
        """By `doc_id` of annotated files: the record of the same bytes, else of the same name.

        A record of the bytes of another annotated file answers for that one alone. Of several copies the
        one of the same name counts: people may have corrected that one alone.
        """
        both = {(record.sha256, record.doc_id): record for record in self.records}
        by_hash = {record.sha256: record for record in self.records}
        annotated = {gold.sha256 for gold in golds}
        by_id = {record.doc_id: record for record in self.records if record.sha256 not in annotated}
        return {
            gold.doc_id: both.get((gold.sha256, gold.doc_id))
            or by_hash.get(gold.sha256)
            or by_id.get(gold.doc_id)
            for gold in golds
        }

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
