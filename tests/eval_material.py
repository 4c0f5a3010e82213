"""Made-up gold and made-up runs for the tests of the evaluation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from evals.gold import Gold, GoldDocument, GoldFact, load_gold
from evals.gold_file import GoldFile
from evals.runs import RunFolder, load_run
from pipeline.fact import Evidence, Fact, Finding, Record, Templates, Usage

META = dict.fromkeys(
    (
        "issuer",
        "issuer_type",
        "level",
        "division_code",
        "year",
        "period_start",
        "period_end",
        "published_on",
        "signed_on",
        "phone",
    )
)
NARRATIVE = {"document": "narrative", "proactive": None, "requests": None, "remedies": None}
FORM_2021 = dict.fromkeys(("document", "proactive", "requests", "remedies"), "table2021")


def sha_of(doc_id: str) -> str:
    """A hash for a document that does not exist."""
    return hashlib.sha256(doc_id.encode()).hexdigest()


def gold_content(doc_id: str, **parts: Any) -> dict[str, Any]:
    """A gold file's content; `meta` is filled up with null."""
    content: dict[str, Any] = {
        "doc_id": doc_id,
        "file": f"{doc_id}.txt",
        "sha256": sha_of(doc_id),
        "status": "adjudicated",
        "annotators": ["a", "b"],
        "templates": NARRATIVE,
    }
    content |= parts
    content["meta"] = META | parts.get("meta", {})
    return content


def write_gold(folder: Path, *contents: Mapping[str, Any]) -> Gold:
    """Write gold files and load the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for content in contents:
        text = yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False)
        (folder / f"{content['doc_id']}.yaml").write_text(text, encoding="utf-8")
    return load_gold(folder)


def gold_document(doc_id: str = "qingshui_2020", **parts: Any) -> GoldDocument:
    """A gold document that is not on disk."""
    content = gold_content(doc_id, **parts)
    content["templates"] = Templates(**content["templates"])
    return GoldDocument(GoldFile.model_validate(content), Path(f"{doc_id}.yaml"))


def fact(path: str, value: int | float | str | None, status: str = "value", **parts: Any) -> Fact:
    """A fact of a program; from prose, without a place, unless said otherwise."""
    content: dict[str, Any] = {
        "path": path,
        "value": value,
        "status": status,
        "raw": str(value),
        "source": "narrative",
        "method": "rule",
        "evidence": Evidence(start=0, end=0),
    }
    return Fact.model_validate(content | parts)


def answer(gold: GoldFact, **changes: Any) -> Fact:
    """The fact of a program that read `gold` rightly."""
    value = gold.value
    if gold.starts is not None:
        value = f"{gold.starts}的一项{gold.ends}"
    parts: dict[str, Any] = {
        "source": gold.source,
        "bound": gold.bound,
        "scope": gold.scope,
        "label": gold.label,
    }
    if gold.raw is not None:
        parts["raw"] = gold.raw
    return fact(gold.path, value, gold.status, **(parts | changes))


def perfect(document: GoldDocument) -> list[Fact]:
    """All that a faultless program would state."""
    return [answer(gold) for gold in document.facts if gold.is_stated]


def record(
    document: GoldDocument, facts: Sequence[Fact], status: str = "ok", findings: Sequence[Finding] = ()
) -> Record:
    """The record of a document."""
    return Record.model_validate(
        {
            "doc_id": document.doc_id,
            "file": document.file.file,
            "sha256": document.file.sha256,
            "media_type": "text/plain",
            "templates": document.file.templates,
            "status": status,
            "error": "the file is damaged" if status == "failed" else None,
            "facts": tuple(facts),
            "findings": tuple(findings),
            "usage": Usage(requests=2, input_tokens=100, output_tokens=20, seconds=1.5),
        }
    )


def write_run(folder: Path, records: Sequence[Record], texts: Mapping[str, str] | None = None) -> RunFolder:
    """Write a run folder and load it; `texts` by `doc_id`."""
    (folder / "text").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one.model_dump(mode="json"), ensure_ascii=False) for one in records]
    (folder / "records.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    manifest = {"model": "made-up-1b", "strategy": "label", "prompts": {"label.md": "0" * 64}}
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    hashes = {one.doc_id: one.sha256 for one in records}
    for doc_id, text in (texts or {}).items():
        (folder / "text" / f"{hashes[doc_id]}.txt").write_bytes(text.encode("utf-8"))
    return load_run(folder)
