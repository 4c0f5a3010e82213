"""Two made-up annotators of one made-up report, and what their adjudication is asked of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval_material import gold_content, write_gold

from evals.gold_file import GoldFile
from evals.occurrences import SearchText
from evals.review.adjudication.disagreements import Choice
from evals.review.adjudication.places_said import PlacesSaid
from evals.review.adjudication.session import Adjudication, Aim

TEXT = """清水县文化局2023年政府信息公开工作年度报告
一、总体情况
全年在网站公开信息35条，在微信公众号公开信息30余条，编发简报20篇。办结申请12件，其中予以公开7件。
本局没有收取费用。举办培训2次，另为乡镇举办培训2次。
五、存在的主要问题
一是公开意识有待增强，目录更新不及时。二是解读形式单一。
"""
META = {
    "issuer": "清水县文化局",
    "issuer_type": "department",
    "level": "county",
    "division_code": "990001",
    "year": 2023,
    "period_start": "2023-01-01",
    "period_end": "2023-12-31",
}
NO_TABLES = {"document": "narrative", "proactive": None, "requests": None, "remedies": None}
WITH_REQUESTS = NO_TABLES | {"requests": "table2021"}


def line(path: str, value: int | None, raw: str, **parts: Any) -> dict[str, Any]:
    return {"path": path, "value": value, "raw": raw, "scope": None} | parts


def adjudication(
    folder: Path, a: dict[str, Any], b: dict[str, Any], text: str | None = TEXT, doc_id: str = "qingshui_2023"
) -> Adjudication:
    """The adjudication of two annotations of one document, written into `folder`."""
    for name, parts in (("a", a), ("b", b)):
        given = {"meta": META, "notes": f"said by {name}", "templates": NO_TABLES} | parts
        given["meta"] = META | given["meta"]
        write_gold(folder / name, gold_content(doc_id, annotators=[name], status="annotated", **given))
    return reopened(folder, text)


def reopened(folder: Path, text: str | None = TEXT) -> Adjudication:
    """The same once more, as after a new start of the server."""

    def places_of(_: GoldFile) -> PlacesSaid:
        return PlacesSaid(None if text is None else SearchText(text))

    return Adjudication(folder / "a", folder / "b", folder / "gold", places_of)


def decide(
    made: Adjudication, key: str, choice: Choice, value: Any = None, reason: str = "printed so", at: int = 0
) -> None:
    """Decide what is asked at `key` (or at the only key that begins so)."""
    document = made.documents[at]
    found = [asked.key for asked in document.merged.disagreements if asked.key.startswith(key)]
    assert found, f"{key} is not asked; asked are {[each.key for each in document.merged.disagreements]}"
    document.decide([Aim(found[0], document.log.base(found[0]))], choice, value, reason, "c")


def keys(made: Adjudication) -> list[str]:
    """What is asked, without the names made from contents."""
    return [
        asked.key if "/" not in asked.key or asked.kind == "findings" else f"{asked.kind} {asked.path}"
        for asked in made.documents[0].merged.disagreements
    ]
