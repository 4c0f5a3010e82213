"""The commands of the evaluation, and the command `gongkai` put together from all parts.

What a command needs is imported when it runs: `gongkai --help` need not load scipy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evals.review_cli import review
from pipeline.cli.app import app, run_app
from pipeline.cli.support import Listed, ListedGroup
from pipeline.errors import GoldError, StartError
from pipeline.terminal import out_console, say

if TYPE_CHECKING:
    from evals.gates import GateResult

EXIT_FOUND = 1
DEFAULT_MARGIN = 0.02

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `gongkai extract` wrote.")]
GoldOption = Annotated[Path, typer.Option("--gold", metavar="DIR", help="Folder of gold files.")]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for the results; made if need be.")
]

gold_app = typer.Typer(
    cls=ListedGroup,
    help="Gold files: check them, begin new ones, list their facts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_commands(to: typer.Typer) -> None:
    """Add `eval`, `compare`, `agree`, `review` and `gold` to a command."""
    to.command("eval", cls=Listed)(evaluate)
    to.command("compare", cls=Listed)(compare_runs)
    to.command("agree", cls=Listed)(agree)
    to.command("review", cls=Listed)(review)
    to.add_typer(gold_app, name="gold")


def main() -> None:
    """The command `gongkai`: the pipeline's commands and these."""
    add_commands(app)
    sys.exit(run_app(app))


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Gold that cannot be used and files that cannot be read or written: nothing could start."""
    try:
        yield
    except GoldError as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(f"{error.filename}: {error.strerror}") from error


def evaluate(
    run: RunArgument,
    gold: GoldOption,
    out: OutOption,
    min_f1: Annotated[
        list[str] | None,
        typer.Option(
            "--min-f1",
            metavar="PART=F1",
            help="Gate; several may be given. PART: overall, prose, tables, nonzero, source.NAME, "
            "group.NAME or template.NAME, as group.requests.",
        ),
    ] = None,
    slack: Annotated[
        float | None,
        typer.Option(
            "--slack",
            metavar="F1",
            min=0.0,
            max=1.0,
            help="The evidence is too thin where the interval reaches this far below a gate; without "
            "it the score alone decides.",
        ),
    ] = None,
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="DIR",
            help="Where the annotated files are, if not beside the gold: the report then shows PDF pages.",
        ),
    ] = None,
    corrected: Annotated[
        bool,
        typer.Option(
            "--corrected", help="Score what is in force after `gongkai review`, not the machine's reading."
        ),
    ] = False,
) -> None:
    """Score a run against gold: scores.json, errors.json, verdicts.jsonl and report.html.

    Failed and missing documents count as all omitted. Corrections of `gongkai review` are left out:
    the score is the machine's. With --corrected they count; that speaks of other documents only where
    these were reviewed like them, without the gold at hand. No model is called. With gates the exit
    code is 0 where all pass, 4 where one fails, 5 where the evidence is too thin to say.

    \b
    Examples:
      gongkai eval run --gold gold --out scores
      gongkai eval run --gold gold --out scores --documents reports
      gongkai eval run --gold gold --out scores --min-f1 prose=0.9 --min-f1 tables=0.99
    """
    from evals.gates import apply_gates, parse_gate
    from evals.gold import load_gold
    from evals.kept_score import write_errors
    from evals.report import write_report
    from evals.rows import verdict_rows, write_rows
    from evals.runs import load_run
    from evals.score import score_run, scores, write_scores

    with _nothing_started():
        gates = [parse_gate(text) for text in min_f1 or []]
        _need_folder(documents, "--documents")
        loaded = load_run(run)
        annotated = load_gold(gold)
        scoring = score_run(loaded.as_corrected(annotated.files) if corrected else loaded, annotated)
        content = scores(scoring)
        results = apply_gates(gates, content, slack)
        write_scores(content, out)
        write_rows(verdict_rows(scoring), out / "verdicts.jsonl")
        write_errors(scoring, out)
        report = write_report(scoring, content, out, documents or gold)
    for line in _summary(content):
        _say(line)
    if corrected:
        checked = scoring.run.made.checked
        _say(f"note: scored is what is in force after review: {checked} figures of these documents checked")
    elif loaded.is_reviewed:
        _say(f"note: {run} has been reviewed; scored is the machine's reading, without any correction")
    _say(f"scores: {out / 'scores.json'}")
    _say(f"report: {report}")
    _leave(results)


def compare_runs(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN RUN", help="Two or more run folders, or folders that eval wrote."),
    ],
    gold: GoldOption,
    out: OutOption,
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit 0 not worse, 4 regressed, 5 too thin to say.")
    ] = False,
    margin: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="With --gate: the loss in F1 that has to be ruled out.")
    ] = DEFAULT_MARGIN,
) -> None:
    """Compare runs on the same documents: comparison.json and comparison.html.

    The first run is the reference. Model, prompt, strategy and quantisation are all just runs.
    A folder that `gongkai eval` wrote stands for the run that it scored, if the gold is the same.

    \b
    Examples:
      gongkai compare runs/rules runs/label --gold gold --out comparison
      gongkai compare runs/accepted runs/new --gold gold --out comparison --gate
    """
    from evals.compare import compare, write_comparison_json
    from evals.gates import no_regression
    from evals.gold import load_gold
    from evals.kept_score import load_contender
    from evals.report import write_comparison

    with _nothing_started():
        comparison = compare([load_contender(run) for run in runs], load_gold(gold))
        path = write_comparison_json(comparison, out)
        report = write_comparison(comparison, out)
    for warning in comparison.warnings:
        _say(f"note: {warning}")
    for pair in comparison.pairs:
        _say(pair.conclusion)
    _say(f"comparison: {path}")
    _say(f"report: {report}")
    if gate:
        _leave(
            [
                no_regression(pair.headline[0], margin, pair.b, comparison.lost[pair.b])
                for pair in comparison.pairs
            ]
        )


def agree(
    a: Annotated[Path, typer.Argument(metavar="GOLD_DIR", help="Gold of one annotator.")],
    b: Annotated[Path, typer.Argument(metavar="GOLD_DIR", help="Gold of the other.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Agreement of two annotators: cells, non-zero cells, prose, metadata, Krippendorff's alpha.

    \b
    Example:
      gongkai agree gold/annotators/a gold/annotators/b
    """
    from evals import agree as agreement

    with _nothing_started():
        found = agreement.agree(a, b)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
        return
    for line in agreement.as_text(found).split("\n"):
        _say(line)


@gold_app.command("check", cls=Listed)
def gold_check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of gold files.")],
    documents: Annotated[
        Path | None,
        typer.Option("--documents", metavar="DIR", help="Where the documents are, if not beside the gold."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out notes.")] = False,
) -> None:
    """Check form, paths, row lengths, hashes, prints, and the identities that the tables break.

    Exit code 1 where something is wrong; notes do not count.

    \b
    Example:
      gongkai gold check gold --documents ../shared/reports
    """
    from evals.gold_check import NOT_AT_HAND, check_gold

    with _nothing_started():
        _need_folder(documents, "--documents")
        problems = check_gold(folder, documents or folder)
        count = len(sorted(folder.glob("*.yaml")))
    errors = [problem for problem in problems if problem.severity == "error"]
    for problem in errors if quiet else problems:
        _say(f"{problem.severity}: {problem}")
    unseen = sum(problem.message.endswith(NOT_AT_HAND) for problem in problems)
    not_compared = f", {unseen} not compared with their documents, which are not at hand" if unseen else ""
    _say(f"{count} gold files, {len(errors)} errors{not_compared}")
    if errors:
        raise typer.Exit(EXIT_FOUND)


@gold_app.command("new", cls=Listed)
def gold_new(
    run: RunArgument,
    document: Annotated[str, typer.Argument(metavar="DOC", help="doc_id or file of a document of the run.")],
    out: OutOption = Path("gold"),
    prefill: Annotated[
        bool, typer.Option("--prefill", help="Fill in the program's values; every score then says so.")
    ] = False,
) -> None:
    """Begin a gold file: an empty frame with the rows of the forms that the run found.

    \b
    Example:
      gongkai gold new run county_2023 --out gold
    """
    from evals.gold_new import find_record, write_frame
    from evals.runs import load_run

    with _nothing_started():
        path = write_frame(find_record(load_run(run), document), out, prefill=prefill)
    _say(f"{path}: fill in every ~, then: gongkai gold check {out}")


@gold_app.command("rows", cls=Listed)
def gold_as_rows(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of gold files.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="JSON Lines file to write.")],
) -> None:
    """Write gold as JSON Lines, one row a fact, as datasets and spreadsheets read it.

    \b
    Example:
      gongkai gold rows gold --out gold.jsonl
    """
    from evals.gold import load_gold
    from evals.rows import gold_rows, write_rows

    with _nothing_started():
        write_rows(gold_rows(load_gold(folder)), out)
    _say(out)


def _need_folder(path: Path | None, option: str) -> None:
    if path is not None and not path.is_dir():
        raise StartError(f"{option} {path}: no such folder")


def _say(text: object) -> None:
    say(out_console(), text)


def _summary(content: dict[str, Any]) -> Iterator[str]:
    """Headline figures for the terminal, trivial baselines among them."""
    documents = content["documents"]
    counted = ", ".join(f"{len(documents[key])} {key}" for key in ("scored", "failed", "missing"))
    yield f"documents: {counted}; gold {content['gold_hash'][:12]}"
    for warning in content["warnings"]:
        yield f"note: {warning}"
    heads = f"{'':16}{'F1':>8}  {'95 %':13}{'non-zero':>9}  {'95 %':13}{'exact documents':>16}"
    yield heads
    parts = {part: content[part] for part in ("overall", "prose", "tables")}
    text = content["by_group"].get("text")
    parts |= {"metadata": content["by_source"]["metadata"]} | ({} if text is None else {"text items": text})
    for part, rates in parts.items():
        yield _line(part, rates)
    for name, rates in content["baselines"].items():
        yield _line(f"({name})", rates["overall"])
    low, high = (documents[f"failed_or_missing_{end}"] for end in ("low", "high"))
    bad = len(documents["failed"]) + len(documents["missing"])
    yield f"failed or missing: {bad} of {content['gold']['documents']} (95 %: {low:.1%} to {high:.1%})"
    scope = content["scope"]
    if scope["of"]:
        agreeing = f"{scope['agreeing']} of {scope['of']} right figures"
        yield f"scope (own or whole jurisdiction), scored beside the value: agrees in {agreeing}"
    yield content["statement"]["en"]


def _line(name: str, rates: dict[str, Any]) -> str:
    exact = f"{rates['exact_documents_count']} of {rates['documents']}"
    columns = (
        f"{_number(rates[key]):>{width}}  {_span(rates[f'{key}_low'], rates[f'{key}_high']):13}"
        for key, width in (("f1", 8), ("nonzero_f1", 9))
    )
    return f"{name:16}{''.join(columns)}{exact:>16}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None else f"{low:.3f}-{high:.3f}"


def _number(value: float | None) -> str:
    return "no data" if value is None else f"{value:.3f}"


def _leave(results: Sequence[GateResult]) -> None:
    """Print what gates found and leave with the worst of them."""
    from evals.gates import Outcome, worst

    for result in results:
        _say(f"gate: {result.sentence}")
    outcome = worst(results)
    if outcome is not Outcome.PASSED:
        raise typer.Exit(int(outcome))
