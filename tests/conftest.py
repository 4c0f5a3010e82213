"""Fixtures that several test files use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_reports() -> Path:
    """The folder of real reports; they are not part of this repository."""
    folder = Path(__file__).parents[1].parent / "shared" / "reports"
    if not folder.is_dir():
        pytest.skip(f"the real reports are not at {folder}")
    return folder
