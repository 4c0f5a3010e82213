"""Prompt files: load, fill, hash. A prompt is text in `prompts/`, never in code.

A file begins with YAML between two lines `---`: `name`, `version` and `variables`
(a list, may be empty). The rest is the text, a Jinja2 template that uses every
declared variable and no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta

from pipeline.config import prompts_dir
from pipeline.errors import PromptError

_FENCE = "---"
_KEYS = frozenset({"name", "version", "variables"})


@dataclass(frozen=True)
class Prompt:
    """A prompt file as loaded; `sha256` is over the bytes of the whole file."""

    name: str
    version: str
    variables: tuple[str, ...]
    sha256: str
    path: Path
    template: Template = field(repr=False, compare=False)

    def fill(self, **variables: object) -> str:
        """The text with its variables put in.

        Raises PromptError when a declared variable is missing or an undeclared one is given.
        """
        missing = sorted(set(self.variables) - set(variables))
        unknown = sorted(set(variables) - set(self.variables))
        if missing or unknown:
            raise PromptError(
                f"prompt {self.name!r} ({self.path.name}): missing variables {missing}, "
                f"unknown variables {unknown}; declared are {sorted(self.variables)}"
            )
        try:
            return self.template.render(**variables)
        except TemplateError as error:
            raise PromptError(f"prompt {self.name!r} ({self.path.name}): {error}") from error


def load_prompt(name: str, folder: Path | None = None) -> Prompt:
    """Load `{name}.md` from the prompts folder; PromptError when it is not in the stated form."""
    path = (folder or prompts_dir()) / f"{name}.md"
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"prompt {name!r} cannot be read from {path}: {error}") from error
    header, body = _split(text, path)
    variables = _declared(header, path)
    if header["name"] != name:
        raise PromptError(f"{path.name}: front matter names it {header['name']!r}, the file {name!r}")
    return Prompt(
        name=name,
        version=str(header["version"]),
        variables=variables,
        sha256=hashlib.sha256(raw).hexdigest(),
        path=path,
        template=_template(body, variables, path),
    )


def _split(text: str, path: Path) -> tuple[Mapping[str, Any], str]:
    lines = text.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    if lines[0] != _FENCE or _FENCE not in lines[1:]:
        raise PromptError(f"{path.name}: must begin with front matter between two lines {_FENCE!r}")
    end = lines.index(_FENCE, 1)
    try:
        header = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError as error:
        raise PromptError(f"{path.name}: front matter is no YAML: {error}") from error
    if not isinstance(header, dict) or set(header) != _KEYS:
        raise PromptError(f"{path.name}: front matter must have exactly the keys {sorted(_KEYS)}")
    return header, "\n".join(lines[end + 1 :]).strip()


def _declared(header: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    variables = header["variables"]
    if not isinstance(variables, list) or not all(isinstance(item, str) for item in variables):
        raise PromptError(f"{path.name}: `variables` must be a list of names, found {variables!r}")
    return tuple(variables)


def _template(body: str, variables: tuple[str, ...], path: Path) -> Template:
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    try:
        used = meta.find_undeclared_variables(environment.parse(body))
        template = environment.from_string(body)
    except TemplateError as error:
        raise PromptError(f"{path.name}: {error}") from error
    if used != set(variables):
        raise PromptError(f"{path.name}: uses the variables {sorted(used)} but declares {sorted(variables)}")
    return template
