"""The command `gongkai`: extract, check, export, overview, show, model.

`app` is put together with the evaluation's commands in `evals.cli`; `run_app` is the one
place where errors become messages and exit codes:

    0 every document has a record without failure     3 nothing could start
    1 some documents failed, or the run was cut short 4, 5 a gate failed, or cannot be judged
    2 the command was called wrongly                  130 stopped with Ctrl-C

What a command needs is imported when it runs: `gongkai --help` need not load a model's client.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import __version__
from pipeline.cli.model import PathOption, model_app
from pipeline.cli.support import EXIT_NO_START, Listed, ListedGroup, run_app
from pipeline.errors import UsageError
from pipeline.terminal import error_console, out_console, plain, say

if TYPE_CHECKING:
    from pipeline.runs.run import OpenEngine
    from pipeline.runs.session import ModelChoice, Spending
    from pipeline.runs.sources import Listing

__all__ = ["app", "main", "run_app"]

EXIT_SOME_FAILED = 1
EXIT_INTERRUPTED = 130

FormatName = Literal["csv", "parquet", "dta", "xlsx", "datasets", "duckdb"]

app = typer.Typer(
    name="gongkai",
    cls=ListedGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Annual disclosure reports of Chinese government bodies as checked data, every figure traced to its "
    "print.\n\n\b\nExamples:\n  gongkai extract reports/ --out run\n  gongkai show run county_2023\n"
    "  gongkai export run --format csv --out tables",
)
app.add_typer(model_app, name="model")

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Reports (txt, md, html, mht, pdf, docx, doc, wps, rtf, odt, zip; named outright also xlsx, "
        "xls, et, ods) or folders; with --engine ray also s3://bucket/folder and the like.",
    ),
]
RunOption = Annotated[
    Path, typer.Option("--out", metavar="RUN", help="Run folder; goes on with a run that is there.")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Embedded model, or one of --base-url.")
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="OpenAI-compatible endpoint; its key from GONGKAI_API_KEY or OPENAI_API_KEY.",
    ),
]
StrategyOption = Annotated[
    Literal["label", "fill", "rules"],
    typer.Option(
        "--strategy",
        help="label: the model says what each figure is; fill: it fills the form; rules: no model.",
    ),
]
EngineOption = Annotated[
    Literal["local", "ray"],
    typer.Option(
        "--engine", help="Where documents are worked on: this machine, or the Ray cluster of RAY_ADDRESS."
    ),
]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        min=1,
        max=1024,
        help="Requests in flight at the most with --base-url [64]; processes with --strategy rules [cores].",
    ),
]
ReplayOption = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="FILE",
        help="Answers recorded from the model: makes a run again without it. What was not recorded fails.",
    ),
]
SentencesOption = Annotated[
    int | None,
    typer.Option(
        "--sentences", min=1, max=24, help="Sentences a question at the most [by model: 8 large, 1 small]."
    ),
]
RpmOption = Annotated[
    float | None, typer.Option("--rpm", min=0.1, help="Requests a minute that the endpoint allows.")
]
TpmOption = Annotated[
    float | None, typer.Option("--tpm", min=1, help="Tokens a minute that the endpoint allows.")
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="MONEY",
        help="Stop before the run has cost more, such as 20usd; failed attempts count.",
    ),
]
PricesOption = Annotated[
    Path | None,
    typer.Option("--prices", metavar="FILE", help="Prices of models that are not known or have changed."),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--answers", metavar="FILE", help="Store of answers that several runs share [RUN/answers.sqlite]."
    ),
]
BatchOption = Annotated[
    bool,
    typer.Option(
        "--batch", help="Ask through the Batch API of --base-url: about half the price, answers within a day."
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=1, metavar="SECONDS", help="How long a response may take [180]."),
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Do failed documents again.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Count what would be asked and what it costs; nobody is asked.")
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        "--sample", metavar="N", min=1, help="Documents drawn by lot that --dry-run reads at the most [2000]."
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `gongkai extract` wrote.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gongkai {__version__}")
        raise typer.Exit


@app.callback()
def gongkai(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command(cls=Listed)
def extract(
    sources: Sources,
    out: RunOption,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    strategy: StrategyOption = "label",
    engine: EngineOption = "local",
    concurrency: ConcurrencyOption = None,
    retry_failed: RetryOption = False,
    model_path: PathOption = None,
    replay: ReplayOption = None,
    sentences: SentencesOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    budget: BudgetOption = None,
    prices: PricesOption = None,
    answers: AnswersOption = None,
    timeout: TimeoutOption = None,
    batch: BatchOption = False,
    dry_run: DryRunOption = False,
    sample: SampleOption = None,
) -> None:
    """Read reports and folders into a run folder: facts, findings, canonical texts.

    The same command on the same RUN goes on where it stopped. The first Ctrl-C finishes the
    documents in flight, a second one stops at once. Files of a folder that are no reports are
    listed and skipped.

    A file is read with a report, as its attachment, where its name says so: X_附件1.xls,
    X-附表.doc or X_attachment.docx beside X.html, and whatever lies in X_附件/, X_attachments/ or
    X_files/. A ZIP archive that holds one report with its attachments is one document. When an
    attachment changes, its report is read again. Old Word, WPS, RTF, OpenDocument and old Excel
    files are read with the help of LibreOffice, which GONGKAI_LIBREOFFICE names if it is not found.

    \b
    Examples:
      gongkai extract reports/ --out run
      gongkai extract a.pdf b.html --out run --strategy rules
      gongkai extract reports/ --out run --model gpt-5-mini --base-url https://api.openai.com/v1 --dry-run
      gongkai extract reports/ --out run --model gpt-5-mini --base-url https://api.openai.com/v1
      gongkai extract reports/ --out run --model gpt-5-mini --base-url https://api.openai.com/v1 --batch
      gongkai extract reports/ --out run --retry-failed
    """
    if sample is not None and not dry_run:
        raise UsageError("--sample is for --dry-run: a run does all documents")
    from pipeline.model.prices import parse_budget
    from pipeline.runs import run
    from pipeline.runs import session as model_session
    from pipeline.runs.outcome import print_attached, print_outcome, print_skipped
    from pipeline.runs.progress import run_progress

    choice = model_session.ModelChoice(strategy, model, base_url, model_path, replay, sentences)
    limit_usd = None if budget is None else parse_budget(budget)
    spending = model_session.Spending(
        concurrency=concurrency,
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        budget_usd=limit_usd,
        prices=prices,
        answers=answers,
        timeout_seconds=timeout,
        batch=batch,
        retry_failed=retry_failed,
    )
    model_session.check_choice(choice, spending)
    errors = error_console()
    if concurrency is not None and choice.is_embedded:
        say(errors, "One request at a time: --concurrency is for a model behind --base-url or for rules.")
    listing, opener = _listed(sources, out, engine, dry_run, choice, spending)
    print_skipped(errors, listing.skipped)
    print_attached(errors, listing.inputs)
    if dry_run:
        from pipeline.runs.estimate_table import show_estimate

        show_estimate(listing, out, choice, spending, sample)
        return
    outcome = run.run_documents(
        listing,
        out,
        model_session.identity_of(choice),
        opener,
        run.RunOptions(retry_failed, tuple(plain(source).plain for source in sources), engine),
        run_progress(errors),
    )
    print_outcome(out_console(), outcome)
    if outcome.was_interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if outcome.could_not_start:
        raise typer.Exit(EXIT_NO_START)
    if outcome.stopped is not None or outcome.summary.failures:
        raise typer.Exit(EXIT_SOME_FAILED)


def _listed(
    sources: list[str], out: Path, engine: str, dry_run: bool, choice: ModelChoice, spending: Spending
) -> tuple[Listing, OpenEngine]:
    """The documents, and what works them off."""
    from pipeline.runs.remote_files import is_remote, list_sources
    from pipeline.runs.session import engine_opener

    remote = next((source for source in sources if is_remote(source)), None)
    if remote is not None and (engine != "ray" or dry_run):
        raise UsageError(f"{remote}: files in an object store need --engine ray, and no --dry-run")
    if engine == "local":
        from pipeline.runs.sources import list_inputs

        listing = list_inputs([Path(source) for source in sources], out)
        return listing, engine_opener(choice, spending, error_console())
    if spending.batch:
        raise UsageError("--batch needs --engine local: no worker waits for answers, so few cores are enough")
    from pipeline.runs.ray_cluster import require_ray
    from pipeline.runs.ray_engine import ray_engine_opener

    require_ray()
    listed = list_sources(sources, out)
    return listed.listing, ray_engine_opener(choice, spending, listed.urls)


@app.command(cls=Listed)
def check(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Run folders; several are checked together as well.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for what is found across [the first RUN]."),
    ] = None,
) -> None:
    """Run the identities again: within documents, and across years, places and runs.

    Writes RUN/check.json; what is found across is in that of the first RUN, or in DIR/check.json.
    Nothing is read again and no record is changed. Where people have corrected figures, theirs count.

    \b
    Examples:
      gongkai check run
      gongkai check run2022 run2023 --out checked
    """
    from pipeline.cli.checked import print_runs_checked
    from pipeline.panel.check_runs import check_runs

    print_runs_checked(out_console(), check_runs(runs, out))


@app.command(cls=Listed)
def export(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders; several become one panel.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the tables.")],
    format_name: Annotated[
        FormatName, typer.Option("--format", help="Kind of files; dta is for Stata 14 and later.")
    ] = "csv",
    scores: Annotated[
        Path | None,
        typer.Option(
            "--scores",
            metavar="FILE",
            help="scores.json of `gongkai eval`, for the card of --format datasets.",
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="OWNER/NAME",
            help="Upload --format datasets to the Hugging Face Hub; a new data set is private.",
        ),
    ] = None,
) -> None:
    """Write the tables facts, panel, reports, documents, findings and codebook.

    Where people have corrected figures, theirs count, and a table corrections has both readings.

    The panel has one row an issuer and year, of the report that counts where there are several,
    with harmonised variables and rates; reports has one row a document, as printed.

    csv, parquet and dta are a file a table; xlsx is one workbook, duckdb one database with views;
    datasets is a folder that `datasets.load_dataset` opens. Nothing leaves this machine without
    --push.

    \b
    Examples:
      gongkai export run --format csv --out tables
      gongkai export run2022 run2023 --format dta --out tables
      gongkai export run --format datasets --out dataset --scores score/scores.json
    """
    if format_name != "datasets" and (scores is not None or push is not None):
        raise UsageError("--scores and --push are for --format datasets")
    from pipeline.export.write import export_runs

    if push is not None:
        from pipeline.export.hub import require_repository

        require_repository(push)
    for name, rows in export_runs(runs, format_name, out, scores).items():
        say(out_console(), f"{name}: {rows} rows")
    say(out_console(), f"written to {out}")
    if push is not None:
        from pipeline.export.hub import push_dataset

        say(out_console(), f"uploaded to {push_dataset(out, push)}")


@app.command(cls=Listed)
def overview(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Run folders; several make one page together.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write, an .html file.")],
) -> None:
    """One offline page: coverage, figures over time, findings, each with its evidence.

    Whatever is drawn opens the figures behind it: value, print, page and characters, and a few
    words around where the run keeps the text. The page asks nothing of any server.

    \b
    Examples:
      gongkai overview run --out overview.html
      gongkai overview run2022 run2023 --out overview.html
    """
    from pipeline.overview.collect import material_of
    from pipeline.overview.content import overview_content
    from pipeline.overview.page import write_overview

    if out.is_dir():
        raise UsageError(f"--out {out} is a folder: name a file, such as {out / 'overview.html'}")
    material = material_of(runs)
    path = write_overview(overview_content(material), out)
    said = f"{material.row_count} issuers and years of {len(material.runs)} runs"
    say(out_console(), f"{said}; {len(material.unplaced)} documents without a place")
    say(out_console(), f"written to {path} ({path.stat().st_size / 1e6:.1f} MB)")


@app.command(cls=Listed)
def show(
    run: RunArgument,
    document: Annotated[
        str, typer.Argument(metavar="DOC", help="doc_id, file or hash; its beginning is enough.")
    ],
) -> None:
    """One record: tables as the forms print them, prose with its words, findings.

    Marks: `·` blank, `/` not applicable, `?` illegible, `0*` zero in words, `-` not mentioned;
    of a review `120✓` confirmed, `12←120` corrected from 120, `-←120` removed, `+12` added.

    \b
    Example:
      gongkai show run county_2023
    """
    from pipeline.cli.show import show_record

    out_console().print(show_record(run, document))


def main() -> None:
    """The command without the evaluation's part."""
    sys.exit(run_app(app))
