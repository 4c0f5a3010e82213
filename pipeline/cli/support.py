"""What all commands share: the one error handler, and messages that say what is allowed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pipeline.errors import GongkaiError, PromptError, StartError, UsageError
from pipeline.terminal import error_console, say

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_START = 3
_NAME = "gongkai"


class Listed(TyperCommand):
    """A command whose usage line, which stands above every usage error, names its options."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The options that there are in place of `[OPTIONS]`, then the arguments."""
        options = [param.opts[0] for param in self.params if param.param_type_name == "option"]
        arguments = super().collect_usage_pieces(ctx)[1:]
        return [*(f"[{option}]" for option in options), *arguments]


class ListedGroup(TyperGroup):
    """A group whose usage line names its commands."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The commands that there are in place of `COMMAND [ARGS]`."""
        return ["|".join(self.list_commands(ctx)), "..."]


def run_app(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A GongkaiError is a message on standard error, never a traceback."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name=_NAME)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_FAILED
    except GongkaiError as error:
        say(error_console(), f"{_NAME}: {error}")
        return exit_code(error)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return 0


def exit_code(error: GongkaiError) -> int:
    """The contract's exit code of an error that ended a command."""
    if isinstance(error, UsageError):
        return EXIT_USAGE
    return EXIT_NO_START if isinstance(error, StartError | PromptError) else EXIT_FAILED
