"""Where things lie on this machine: the cache folder and the prompt files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "GONGKAI_CACHE"
MODEL_PATH_VARIABLE = "GONGKAI_MODEL_PATH"
LIBREOFFICE_VARIABLE = "GONGKAI_LIBREOFFICE"
API_KEY_VARIABLES = ("GONGKAI_API_KEY", "OPENAI_API_KEY")


@dataclass(frozen=True, slots=True)
class CacheFolders:
    """Folders under the cache; none is made before something is written to it."""

    root: Path

    @property
    def models(self) -> Path:
        """Verified weights."""
        return self.root / "models"

    @property
    def partial(self) -> Path:
        """Downloads that are not finished."""
        return self.root / "partial"

    @property
    def prefix(self) -> Path:
        """Saved states of the local server: prompts that need not be read again."""
        return self.root / "prefix"

    @property
    def logs(self) -> Path:
        """Logs of the local server."""
        return self.root / "logs"


def cache_folders() -> CacheFolders:
    """The cache: `$GONGKAI_CACHE`, else the user's cache folder for `gongkai`."""
    named = os.environ.get(CACHE_VARIABLE)
    root = Path(named).expanduser() if named else platformdirs.user_cache_path("gongkai", appauthor=False)
    return CacheFolders(root.absolute())


def prompts_dir() -> Path:
    """The repository's `prompts/` in a checkout, the packaged copy in a wheel."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / "prompts"
    if checkout.is_dir() and (package.parent / "pyproject.toml").is_file():
        return checkout
    return package / "_prompts"
