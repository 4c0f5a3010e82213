"""`gongkai model`: the embedded models."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.support import Listed, ListedGroup
from pipeline.errors import ModelUnavailable, UsageError
from pipeline.model.catalog import DEFAULT_MODEL, MODELS
from pipeline.terminal import error_console, out_console, plain, say

model_app = typer.Typer(
    cls=ListedGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The embedded local models.\n\n\b\nExamples:\n  gongkai model list\n  gongkai model pull",
)

NameArgument = Annotated[str, typer.Argument(metavar="[NAME]", help="See `gongkai model list`.")]
PathOption = Annotated[Path | None, typer.Option("--model-path", metavar="FILE", help="Weights on disk.")]


def _known(name: str) -> str:
    if name not in MODELS:
        raise UsageError(f"no embedded model {name!r}: there are {', '.join(MODELS)}")
    return name


@model_app.command("list", cls=Listed)
def list_models() -> None:
    """The models, their sizes, and which are on this machine.

    \b
    Example:
      gongkai model list
    """
    from pipeline.model.weights import find_weights

    table = Table(box=None, header_style="dim", pad_edge=False)
    for header in ("model", "size", "here"):
        table.add_column(header, overflow="fold")
    for weights in MODELS.values():
        try:
            place = str(find_weights(weights.name))
        except ModelUnavailable:
            place = "no"
        name = f"{weights.name} (default)" if weights.name == DEFAULT_MODEL else weights.name
        table.add_row(plain(name), plain(f"{weights.size_bytes / 1e6:.0f} MB"), plain(place))
    out_console().print(table)


@model_app.command("pull", cls=Listed)
def pull(name: NameArgument = DEFAULT_MODEL, model_path: PathOption = None) -> None:
    """Get the weights onto this machine and verify them; a download that broke off goes on.

    \b
    Examples:
      gongkai model pull
      gongkai model pull qwen2.5-coder-0.5b
    """
    from pipeline.model.weights import pull_weights
    from pipeline.runs.progress import byte_progress

    with byte_progress(error_console()) as show:
        path = pull_weights(_known(name), show, model_path)
    say(out_console(), path)


@model_app.command("serve", cls=Listed)
def serve(name: NameArgument = DEFAULT_MODEL, model_path: PathOption = None) -> None:
    """Serve a model on this machine until Ctrl-C, for other programs that speak the OpenAI API.

    The address and the key, made anew at each start, are printed.

    \b
    Example:
      gongkai model serve
    """
    from pipeline.model.local_model import LocalModel
    from pipeline.runs.progress import byte_progress

    with byte_progress(error_console()) as show:
        model = LocalModel(_known(name), path=model_path, progress=show)
        running = model.__enter__()
    try:
        endpoint = running.endpoint
        say(out_console(), f"base URL: {endpoint.base_url}")
        say(out_console(), f"model: {endpoint.model}")
        say(out_console(), f"key: {endpoint.api_key.get_secret_value()}")
        say(out_console(), "Ctrl-C ends it.")
        threading.Event().wait()
    finally:
        model.__exit__(None, None, None)
