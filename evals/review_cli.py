"""The command `gongkai review`: its options, and what of them goes together."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.errors import StartError, UsageError
from pipeline.terminal import error_console, out_console, say

if TYPE_CHECKING:
    from evals.review.settings import ReviewSettings

LOOPBACK = "127.0.0.1"
DEFAULT_TARGET = 0.99


def review(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `gongkai extract` wrote.")],
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents", metavar="DIR", help="Where the reports are, if not where the run read them."
        ),
    ] = None,
    annotator: Annotated[
        str | None,
        typer.Option("--annotator", metavar="NAME", help="Who decides; without it your login name."),
    ] = None,
    lang: Annotated[
        Literal["zh", "en"] | None,
        typer.Option("--lang", help="Language of the pages; without it that of the browser."),
    ] = None,
    target: Annotated[
        float,
        typer.Option(
            "--target",
            metavar="SHARE",
            min=0.5,
            max=1.0,
            help="Share of figures that are to be right: says how many are still to be checked.",
        ),
    ] = DEFAULT_TARGET,
    annotate: Annotated[
        Path | None,
        typer.Option(
            "--annotate", metavar="DIR", help="Write gold from scratch into DIR; no machine reading is shown."
        ),
    ] = None,
    adjudicate: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--adjudicate", metavar="DIR DIR", help="Decide where the gold of two annotators differs."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="With --adjudicate: folder for the decided gold."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="RUN", help="Show where another run read the documents otherwise."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="HOST", help="Address to listen on; beyond this machine only if you say so."
        ),
    ] = LOOPBACK,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0: one that is free.")
    ] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Review a run in the browser: each figure beside its place in the report.

    Corrections go into RUN/review.jsonl; what the machine read stays. The address that is
    printed holds a token that is made anew at every start. Ctrl-C ends the server.

    \b
    Examples:
      gongkai review run
      gongkai review run --annotate gold/annotators/a --annotator a
      gongkai review run --adjudicate gold/annotators/a gold/annotators/b --out gold/decided
      gongkai review run --compare other_run
    """
    from evals.review.server import serve
    from evals.review.settings import ReviewSettings

    name = annotator or _login_name()
    settings = ReviewSettings(
        run, documents, name, lang, target, annotate, adjudicate, out, compare, host, port
    )
    _refuse_mixture(settings)
    if not settings.is_loopback:
        say(
            error_console(),
            f"warning: --host {host}: other machines can reach this server. Whoever has the address with "
            "the token can read and change this review. The connection is not encrypted: so can whoever "
            "listens on the network, since token and cookie cross it as they are. Safer: leave --host out, "
            "and reach it with ssh -L PORT:127.0.0.1:PORT",
        )

    def begun(address: str) -> None:
        say(out_console(), f"review of {run}; Ctrl-C ends it")
        # Whole and at once: a terminal makes a link of it, and a reader of a pipe waits for it.
        print(address, flush=True)

    serve(settings, begun, open_browser=not no_browser)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _refuse_mixture(settings: ReviewSettings) -> None:
    """Raises UsageError where options do not go together, StartError where a folder is missing."""
    modes = {
        "--annotate": settings.annotate,
        "--adjudicate": settings.adjudicate,
        "--compare": settings.compare,
    }
    named = [option for option, value in modes.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)}: one of them at a time")
    if not settings.host:
        raise UsageError("--host: needed is a name or address, as 127.0.0.1 or 0.0.0.0")
    if (settings.out is None) != (settings.adjudicate is None):
        raise UsageError("--adjudicate DIR DIR and --out DIR go together: the decided gold needs a folder")
    for option, folder in (("--documents", settings.documents), ("--compare", settings.compare)):
        if folder is not None and not folder.is_dir():
            raise StartError(f"{option} {folder}: no such folder")
    for folder in settings.adjudicate or ():
        if not folder.is_dir():
            raise StartError(f"--adjudicate {folder}: no such folder")
