"""Record what the embedded model answers about sample reports, for tests that shall be fast.

    python -m evals.benchmarks.record_answers [REPORT ...] [--out FILE]

Runs `gongkai extract --strategy label` over the reports in a temporary folder and copies
its answers, a line of JSON each. Tests play them back: the same questions, the same
answers. To be run again when the prompt, the examples or the wording rules have changed;
with the prefix in the cache it takes seconds, else some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.cli.app import app, run_app
from pipeline.errors import StartError
from pipeline.model.recorded import record_answers
from pipeline.runs.folder import RunFolder

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "gold" / "samples"
REPORTS = (SAMPLES / "tinglan_2020.txt", SAMPLES / "moling_2023.md")
RECORDED = ROOT / "tests" / "recorded" / "label_answers.jsonl"


def record(reports: Sequence[Path], out: Path) -> int:
    """Write the answers about `reports` to `out`; how many there are.

    Raises StartError when the run fails: an incomplete recording is worse than an old one.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        code = run_app(app, ["extract", *(str(report) for report in reports), "--out", str(run)])
        if code != 0:
            raise StartError(
                f"the run over {len(reports)} reports ended with exit code {code}: nothing recorded"
            )
        return record_answers(RunFolder(run).answers, out)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Record the embedded model's answers about sample reports.")
    parser.add_argument("reports", nargs="*", type=Path, default=list(REPORTS), metavar="REPORT")
    parser.add_argument("--out", type=Path, default=RECORDED, metavar="FILE")
    given = parser.parse_args(arguments)
    count = record(given.reports, given.out)
    print(f"{count} answers written to {given.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
