"""Old office formats for tests, made by LibreOffice from documents that the tests write."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.read.libreoffice import find_libreoffice

needs_office = pytest.mark.skipif(
    find_libreoffice() is None,
    reason="LibreOffice is not installed (apt install libreoffice-writer-nogui libreoffice-calc-nogui)",
)


def saved_as(ending: str, files: Sequence[Path], out: Path) -> dict[str, Path]:
    """The files saved in another format, as anybody would with LibreOffice; by their stems."""
    program = find_libreoffice()
    if program is None:
        raise RuntimeError("only for tests with `needs_office`")
    command = [program, f"-env:UserInstallation={(out / 'profile').as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", ending, "--outdir", str(out), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {file.stem: out / f"{file.stem}.{ending}" for file in files}
