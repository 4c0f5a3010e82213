"""Prompt files: form, variables, hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.config import prompts_dir
from pipeline.errors import PromptError
from pipeline.model.prompts import load_prompt

GOOD = "---\nname: greet\nversion: 2\nvariables: [place, year]\n---\n\nReport of {{ place }}, {{ year }}.\n"


def write(folder: Path, text: str, name: str = "greet") -> Path:
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_fill(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    prompt = load_prompt("greet", tmp_path)
    assert prompt.fill(place="示例县", year=2024) == "Report of 示例县, 2024."
    assert (prompt.version, prompt.variables) == ("2", ("place", "year"))
    assert prompt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_text_is_not_escaped_and_values_are_not_templates(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    filled = load_prompt("greet", tmp_path).fill(place='<b>"甲"</b> {{ year }}', year=1)
    assert filled == 'Report of <b>"甲"</b> {{ year }}, 1.'


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"place": "甲"}, r"missing variables \['year'\]"),
        ({"place": "甲", "year": 1, "month": 2}, r"unknown variables \['month'\]"),
        ({}, r"missing variables \['place', 'year'\]"),
    ],
)
def test_wrong_variables(variables: dict[str, object], says: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(PromptError, match=says):
        load_prompt("greet", tmp_path).fill(**variables)


BROKEN = [
    ("no front matter", "Report of {{ place }}.", "front matter"),
    ("front matter not closed", "---\nname: greet\n", "front matter"),
    ("no YAML", "---\nname: [\n---\nText", "no YAML"),
    ("a key is missing", "---\nname: greet\nvariables: []\n---\nText", "exactly the keys"),
    ("variables is no list", GOOD.replace("[place, year]", "place"), "list of names"),
    ("used but not declared", GOOD.replace("[place, year]", "[place]"), "declares"),
    ("declared but not used", GOOD.replace("[place, year]", "[place, year, month]"), "declares"),
    ("another name", GOOD.replace("name: greet", "name: other"), "'other'"),
    ("template error", GOOD.replace("{{ year }}", "{{ year"), "greet.md"),
]


@pytest.mark.parametrize(("name", "text", "says"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_file(name: str, text: str, says: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    with pytest.raises(PromptError, match=says):
        load_prompt("greet", tmp_path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="'nothing' cannot be read"):
        load_prompt("nothing", tmp_path)


def test_every_prompt_of_the_repository_loads() -> None:
    for path in prompts_dir().glob("*.md"):
        assert load_prompt(path.stem).name == path.stem
