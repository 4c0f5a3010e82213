"""The reports for people: one HTML file each, which asks nothing of any server.

Everything from documents goes through Jinja's escaping, or into a JSON script element in
which `<`, `>` and `&` are written as \\u escapes; the page's own script is allowed by its
hash alone, so that nothing in a document can run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals.changes import Change
from evals.compare import Comparison, Pair
from evals.difference import Difference
from evals.report_data import GROUP_LABELS, SOURCE_LABELS, VERDICT_LABELS, error_kinds, excerpt, report_data
from evals.report_data import show as show_value
from evals.score import Scoring
from pipeline.schema import fields
from pipeline.script_json import script_json

TEMPLATES = Path(__file__).parent / "templates"
# Of all pairs together: some 10 MB of the page. comparison.json has them all.
MOST_CHANGES = 30_000


def write_report(scoring: Scoring, scores: dict[str, Any], out: Path, sources: Path | None = None) -> Path:
    """Write `report.html` for a scored run and return its path.

    Pages of PDF files are shown where the folder `sources` holds the files.
    """
    data = report_data(scoring, sources)
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
            comparison=_without_changes(comparison),
            cost_points={
                key: _cost_points(comparison, key) for key in ("output_tokens", "seconds", "cost_usd")
            },
            group_rows=[_group_rows(pair) for pair in comparison.pairs],
            data=script_json(_change_data(comparison)),
            field_names={
                row.part: _field_label(row.part) + " · " + row.part
                for p in comparison.pairs
                for row in p.fields
            },
            **_assets("comparison.js"),
        )
    )
    return _write(page, out / "comparison.html")


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


def _without_changes(comparison: Comparison) -> dict[str, Any]:
    """The comparison with the number of fixes and regressions in place of their list."""
    content = comparison.as_dict()
    for pair in content["pairs"]:
        kinds = [change["kind"] for change in pair.pop("changes")]
        pair |= {"fixes": kinds.count("fix"), "regressions": kinds.count("regression")}
    return content


def _group_rows(pair: Pair) -> list[tuple[str, Difference]]:
    return [(GROUP_LABELS.get(row.part, row.part), row) for row in pair.groups]


def _cost_points(comparison: Comparison, key: str) -> list[tuple[str, float, float]]:
    """(run, cost a document, F1) where every run knows its cost and any has one.

    Runs that would be drawn at nearly the same place share a point and its label.
    """
    points = [(row["run"], row["cost"][key], row["f1"]) for row in comparison.leaderboard]
    if any(cost is None or f1 is None for _, cost, f1 in points) or not any(cost for _, cost, _ in points):
        return []
    known = [(run, float(cost), float(f1)) for run, cost, f1 in points]
    most = max(cost for _, cost, _ in known)
    shared: list[tuple[str, float, float]] = []
    for run, cost, f1 in known:
        near = (i for i, (_, x, y) in enumerate(shared) if abs(x - cost) < most / 10 and abs(y - f1) < 0.05)
        at = next(near, None)
        if at is None:
            shared.append((run, cost, f1))
        else:
            shared[at] = (f"{shared[at][0]}, {run}", *shared[at][1:])
    return shared


def _change_data(comparison: Comparison) -> dict[str, Any]:
    """Fixes and regressions as the page's script reads them, a list a pair."""
    budget = MOST_CHANGES // max(1, len(comparison.pairs))
    lists = [
        [_change_row(comparison, number, change) for change in pair.changes[:budget]]
        for number, pair in enumerate(comparison.pairs)
    ]
    paths = sorted({row[2] for rows in lists for row in rows})
    return {
        "pairs": lists,
        "left_out": [
            len(pair.changes) - len(rows) for pair, rows in zip(comparison.pairs, lists, strict=True)
        ],
        "labels": {path: _field_label(path) for path in paths},
        "names": {"sources": SOURCE_LABELS, "groups": GROUP_LABELS, "verdicts": VERDICT_LABELS},
    }


def _change_row(comparison: Comparison, number: int, change: Change) -> list[Any]:
    """One change with the sentence in which the figure stands."""
    scoring = comparison.scorings[0 if change.in_text_of == "a" else number + 1]
    text = scoring.texts[change.doc_id]
    return [
        change.kind,
        change.doc_id,
        change.path,
        change.source,
        change.label,
        change.verdict_a,
        change.verdict_b,
        _shown(change.expected, change.expected_status),
        _shown(change.value_a, change.status_a),
        _shown(change.value_b, change.status_b),
        excerpt(text, change.start, change.end),
    ]


def _shown(value: int | float | str | None, status: str | None) -> str:
    return "–" if status is None else show_value(value, status)
