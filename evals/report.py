"""The reports for people: one HTML file each, which asks nothing of any server.

Everything from documents goes through Jinja's escaping, or into a JSON script element in
which `<`, `>` and `&` are written as \\u escapes; the page's own script is allowed by its
hash alone, so that nothing in a document can run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals.compare import Comparison, Difference, Pair
from evals.report_data import GROUP_LABELS, SOURCE_LABELS, VERDICT_LABELS, error_kinds, excerpt, report_data
from evals.report_data import show as show_value
from evals.score import Scoring
from pipeline.schema import fields

TEMPLATES = Path(__file__).parent / "templates"
_UNSAFE_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write_report(scoring: Scoring, scores: dict[str, Any], out: Path) -> Path:
    """Write `report.html` for a scored run and return its path."""
    data = report_data(scoring)
    page = (
        _environment()
        .get_template("report.html")
        .render(
            scores=scores,
            data=script_json(data.content),
            without_text=data.without_text,
            error_kinds=error_kinds(scoring.judgements),
            group_rows=[(GROUP_LABELS.get(name, name), rates) for name, rates in scores["by_group"].items()],
            statuses=sorted({given for row in scores["status"].values() for given in row}),
            **_assets("report.js"),
        )
    )
    return _write(page, out / "report.html")


def write_comparison(comparison: Comparison, out: Path) -> Path:
    """Write `comparison.html` and return its path."""
    page = (
        _environment()
        .get_template("comparison.html")
        .render(
            comparison=comparison.as_dict(),
            cost_points={
                key: _cost_points(comparison, key) for key in ("output_tokens", "seconds", "cost_usd")
            },
            group_rows=[_group_rows(pair) for pair in comparison.pairs],
            changes=[_changes(comparison, number, pair) for number, pair in enumerate(comparison.pairs)],
            **_assets("comparison.js"),
        )
    )
    return _write(page, out / "comparison.html")


def script_json(content: Any) -> Markup:
    """JSON that is safe inside a script element: it holds no markup, whatever the text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escape in _UNSAFE_IN_SCRIPT.items():
        text = text.replace(sign, escape)
    return Markup(text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rate"] = lambda value: "–" if value is None else f"{value:.3f}"
    environment.filters["signed"] = lambda value: "–" if value is None else f"{value:+.3f}"
    environment.filters["percent"] = lambda value: "–" if value is None else f"{value:.1%}"
    environment.filters["amount"] = lambda value: "–" if value is None else f"{value:,.4g}"
    environment.filters["p"] = lambda value: "–" if value is None else f"{value:.3g}"
    environment.globals |= {
        "groups": GROUP_LABELS,
        "sources": SOURCE_LABELS,
        "verdicts": VERDICT_LABELS,
        "field_label": _field_label,
    }
    return environment


def _field_label(path: str) -> str:
    spec = fields().get(path)
    return path if spec is None else spec.label


def _assets(script_name: str) -> dict[str, Any]:
    """Style and script as they go into the page, and the script's hash for its security policy."""
    script = (TEMPLATES / "common.js").read_text("utf-8") + (TEMPLATES / script_name).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return {
        "style": Markup((TEMPLATES / "style.css").read_text("utf-8")),
        "script": Markup(script),
        "script_hash": digest,
    }


def _write(page: str, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _group_rows(pair: Pair) -> list[tuple[str, Difference]]:
    return [(GROUP_LABELS.get(row.part, row.part), row) for row in pair.groups]


def _cost_points(comparison: Comparison, key: str) -> list[tuple[str, float, float]]:
    """(run, cost a document, F1) where every run knows its cost and any has one."""
    points = [(row["run"], row["cost"][key], row["f1"]) for row in comparison.leaderboard]
    if any(cost is None or f1 is None for _, cost, f1 in points) or not any(cost for _, cost, _ in points):
        return []
    return points


def _changes(comparison: Comparison, number: int, pair: Pair) -> list[dict[str, Any]]:
    """Fixes and regressions with the sentence in which the figure stands."""
    reference, other = comparison.scorings[0], comparison.scorings[number + 1]
    texts = {name: text or other.texts[name] for name, text in reference.texts.items()}
    return [
        {
            "kind": change.kind,
            "doc_id": change.doc_id,
            "path": change.path,
            "label": change.label,
            "source": change.source,
            "group": change.path.partition(".")[0],
            "verdict_a": change.verdict_a,
            "verdict_b": change.verdict_b,
            "expected": _shown(change.expected),
            "value_a": _shown(change.value_a),
            "value_b": _shown(change.value_b),
            "excerpt": excerpt(texts[change.doc_id], change.start, change.end),
        }
        for change in pair.changes
    ]


def _shown(value: int | float | str | None) -> str:
    return "–" if value is None else show_value(value, "value")
