"""Has the extraction become worse? Today's code, with recorded answers, against the accepted score.

    python -m evals.benchmarks.accepted                     # exit code 0 no worse, 4 worse, 5 too thin
    python -m evals.benchmarks.accepted --accept            # take today's score as the accepted one
    python -m evals.benchmarks.accepted --record --accept   # first ask the embedded model anew (20 minutes)

Runs over the made-up reports of gold/dev; gold/test stays unseen. What the embedded model
answers is kept in evals/accepted/answers.jsonl.gz, the verdicts that were not right in
evals/accepted/errors.json: a change of scores shows in its diff. A difference that the
documents cannot judge is looked at by a person, then accepted.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer

from evals.cli import add_commands
from evals.kept_score import ERRORS
from pipeline.cli.app import EXIT_SOME_FAILED, app
from pipeline.cli.support import run_app
from pipeline.model.recorded import record_answers
from pipeline.runs.folder import RunFolder

ROOT = Path(__file__).parents[2]
GOLD = ROOT / "gold" / "dev"
ACCEPTED = ROOT / "evals" / "accepted"
ANSWERS = ACCEPTED / "answers.jsonl.gz"
HOW_TO_GO_ON = (
    "If this is as it should be, accept it: python -m evals.benchmarks.accepted --accept\n"
    "If questions are not recorded: python -m evals.benchmarks.accepted --record --accept"
)


def gate(folder: Path, *, record: bool, accept: bool) -> int:
    """Extract, score and compare in `folder`; the exit code."""
    commands = typer.Typer()
    add_commands(commands)
    run, score = folder / "run", folder / "score"
    replay = [] if record else ["--replay", str(ANSWERS)]
    code = run_app(app, ["extract", str(GOLD), "--out", str(run), *replay])
    if code not in (0, EXIT_SOME_FAILED):
        return code
    code = run_app(commands, ["eval", str(run), "--gold", str(GOLD), "--out", str(score)])
    if code != 0:
        return code
    if record:
        print(f"{record_answers(RunFolder(run).answers, ANSWERS)} answers recorded")
    if accept:
        shutil.copyfile(score / ERRORS, ACCEPTED / ERRORS)
        print(f"accepted: {(ACCEPTED / ERRORS).relative_to(ROOT)}")
        return 0
    against = ["compare", str(ACCEPTED), str(score), "--gold", str(GOLD), "--out", str(folder), "--gate"]
    return run_app(commands, against)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--accept", action="store_true", help="take today's score as the accepted one")
    parser.add_argument("--record", action="store_true", help="ask the embedded model anew first")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        code = gate(Path(folder), record=given.record, accept=given.accept)
    if code != 0:
        print(HOW_TO_GO_ON, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
