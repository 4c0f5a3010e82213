"""What a report costs: tokens and dollars of both strategies and several models, nobody asked.

    python -m evals.benchmarks.costs                  # gold/dev and gold/samples, 143 reports
    python -m evals.benchmarks.costs FOLDER …         # reports of your own

The same estimate as `gongkai extract … --dry-run`. Prints a table in Markdown, and what 42,000
reports of this kind would cost. Made-up reports are shorter than real ones and most of them are
prose: the figures hold for these, and for others only as far as they are alike.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.runs.estimate import Counted, estimate_run
from pipeline.runs.session import ModelChoice, Spending
from pipeline.runs.sources import Listing, list_inputs

ROOT = Path(__file__).parents[2]
REPORTS = (ROOT / "gold" / "dev", ROOT / "gold" / "samples")
MANY = 42_000
ENDPOINTS = (
    ("gpt-5-mini", "https://api.openai.com/v1"),
    ("deepseek-flash", "https://api.deepseek.com/v1"),
)
HEAD = (
    "| model | strategy | calls | tokens read | from a cache | schemas | written "
    f"| USD a report | at least – most | thoughts at most | USD for {MANY:,} |"
)


def rows(listing: Listing) -> Iterator[str]:
    """Lines of the table; all figures but the last are those of one report."""
    yield HEAD
    yield "|" + "---|" * (HEAD.count("|") - 1)
    with tempfile.TemporaryDirectory() as folder:
        for model, base_url in ENDPOINTS:
            for strategy in ("label", "fill"):
                choice = ModelChoice(strategy, model, base_url)
                run = Path(folder) / "run"
                estimate = estimate_run(listing, run, choice, Spending(), len(listing.inputs))
                if estimate.counted is not None:
                    yield f"| {model} | {strategy} | {_row(estimate.counted)} |"


def _row(counted: Counted) -> str:
    readable = counted.read - len(counted.failures)
    calls, *tokens = (
        counted.tokens[name].total / readable for name in ("calls", "read", "cached", "schemas", "written")
    )
    cells = [f"{calls:.2f}", *(f"{each:,.0f}" for each in tokens)]
    costs = counted.money
    if costs is None:
        return " | ".join([*cells, "", "", "", "no price is known"])
    expected, low, high, thoughts = (
        each / readable for each in (costs.expected.total, costs.low, costs.high, costs.thoughts)
    )
    bounds = f"{MANY * low:,.0f}–{MANY * (high + thoughts):,.0f}"
    many = f"{MANY * expected:,.0f} ({bounds})"
    return " | ".join([*cells, f"{expected:.5f}", f"{low:.5f} – {high:.5f}", f"{thoughts:.5f}", many])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("reports", nargs="*", type=Path, default=REPORTS, metavar="FOLDER")
    for line in rows(list_inputs(parser.parse_args(arguments).reports)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
