"""The scripts of the review pages against their types, as the TypeScript compiler sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "evals" / "review" / "static"
TYPESCRIPT = "typescript@5.9.3"
OPTIONS = (
    *("--checkJs", "--noEmit", "--strict", "--noUncheckedIndexedAccess", "false"),
    *("--target", "es2022", "--module", "es2022", "--lib", "es2022,dom,dom.iterable"),
)


def test_the_scripts_fit_their_types() -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("no npx: the types of the scripts are not checked")
    scripts = sorted(str(path) for path in STATIC.glob("*.js"))
    assert scripts
    command = [npx, "--yes", "--package", TYPESCRIPT, "tsc", *OPTIONS, *scripts]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=os.environ, cwd=STATIC
    )
    if "npm error" in done.stderr:
        pytest.skip(f"{TYPESCRIPT} could not be had: {done.stderr[-200:]}")
    assert done.stdout == ""
    assert done.returncode == 0
