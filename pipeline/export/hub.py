"""A `datasets` folder → the Hugging Face Hub: only when `--push` names where to."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import StartError, UsageError

_REPOSITORY = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
_FILES = ("README.md", "data/*.parquet")


def require_repository(name: str) -> None:
    """UsageError for what cannot be the name of a repository, before anything is written."""
    if not _REPOSITORY.fullmatch(name):
        raise UsageError(f"--push {name}: needed is OWNER/NAME of a data set on the Hub")


def push_dataset(folder: Path, name: str) -> str:
    """Upload the card and the tables, nothing else of the folder; the address of the data set.

    A repository that is not there yet is made private: to publish is a decision of its own.
    The token is that of `hf auth login`. Raises StartError when the Hub refuses or is out of reach.
    """
    from huggingface_hub import HfApi, errors

    # The HTTP library behind it has another name in every other version; its errors come from here.
    unreachable: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]
    hub = HfApi()
    try:
        address = hub.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        hub.upload_folder(
            repo_id=name,
            folder_path=folder,
            repo_type="dataset",
            allow_patterns=list(_FILES),
            commit_message="Tables of gongkai export",
        )
    except (errors.LocalTokenNotFoundError, errors.HfHubHTTPError, unreachable, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StartError(
            f"--push {name}: the Hub did not take it ({reason}). The folder {folder} is whole; log in with "
            "`hf auth login` and run the same command again"
        ) from error
    return str(address)
