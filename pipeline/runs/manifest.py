"""`run.json`: what the run was made with, so that its figures can be made again.

`identity` is what the records depend on and what a resume must share; `sessions` has a
line for each time the command ran. No key, no password, no machine name.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.config import prompts_dir
from pipeline.errors import StartError
from pipeline.schema import Report

MANIFEST = "run.json"
_GIT_SECONDS = 10.0


@dataclass(frozen=True)
class RunIdentity:
    """What the records of a run depend on, apart from the documents and the program's version.

    `model_resolved` is the file and hash of embedded weights, or the name asked of an endpoint.
    `engine` is always `local`: the records are the same wherever they are made, and a session
    says where it worked.
    """

    strategy: str
    engine: str = "local"
    model: str | None = None
    model_resolved: str | None = None
    endpoint: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    schema_sha256: str = ""


@dataclass(frozen=True)
class Session:
    """One call of the command. `end` and `stopped` are null while it goes on or if it was killed."""

    version: str
    commit: str | None
    dirty: bool | None
    python: str
    start: str
    end: str | None = None
    stopped: str | None = None
    engine: str = "local"
    spent: Mapping[str, int | float | None] | None = None


@dataclass(frozen=True)
class Manifest:
    """The whole file. `totals` covers every record of the run."""

    identity: RunIdentity
    sources: tuple[str, ...]
    sessions: tuple[Session, ...]
    totals: Mapping[str, Any] = field(default_factory=dict)


def now() -> str:
    """The time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def schema_sha256() -> str:
    """Hash of the report's schema: every field with its labels, meaning and unit."""
    schema = json.dumps(Report.model_json_schema(), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(schema.encode("utf-8")).hexdigest()


def prompt_hashes(strategy: str, folder: Path | None = None) -> dict[str, str]:
    """SHA-256 of each prompt file that the strategy reads: those whose names begin with its name."""
    files = sorted((folder or prompts_dir()).glob(f"{strategy}*"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def new_session(engine: str = "local") -> Session:
    """A session that begins now, with the version of the program and of its source tree."""
    commit, dirty = source_tree()
    return Session(__version__, commit, dirty, platform.python_version(), now(), engine=engine)


def source_tree() -> tuple[str | None, bool | None]:
    """Commit of the checkout that runs and whether it was changed since; None without one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    status = _git(root, "status", "--porcelain")
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    return commit or None, None if status is None else bool(status)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, check=False, capture_output=True, text=True, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def load_manifest(folder: Path) -> Manifest | None:
    """The manifest of a run, None where there is none. StartError when it cannot be understood."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        identity = {key: content[key] for key in RunIdentity.__dataclass_fields__}
        return Manifest(
            RunIdentity(**identity),
            tuple(content["sources"]),
            tuple(Session(**session) for session in content["sessions"]),
            content["totals"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{path} is no manifest of this version ({type(error).__name__}: {error}). "
            "Name a new folder with --out; the old one stays as it is"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `run.json`, whole or not at all. `version`, `start` and `end` stand at the top too."""
    first, last = manifest.sessions[0], manifest.sessions[-1]
    content = {
        **asdict(manifest.identity),
        "version": last.version,
        "commit": last.commit,
        "dirty": last.dirty,
        "start": first.start,
        "end": last.end,
        "sources": list(manifest.sources),
        "totals": dict(manifest.totals),
        "sessions": [asdict(session) for session in manifest.sessions],
    }
    write_json(folder / MANIFEST, content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file for people and programs, whole or not at all; StartError if it cannot be."""
    temporary = path.with_suffix(".json.new")
    try:
        temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror or error}") from error


def refuse_other(folder: Path, before: RunIdentity, wanted: RunIdentity) -> None:
    """Raise StartError when the run was made with something else than is wanted now."""
    old, new = asdict(before), asdict(wanted)
    differences = [line for key in old for line in _differences(key, old[key], new[key])]
    if differences:
        raise StartError(
            f"{folder} was made with something else than this command asks for: {'; '.join(differences)}. "
            "Records of both would be mixed. Give the old settings to go on with this run, "
            "or name a new folder with --out to begin another"
        )


def _differences(key: str, before: Any, wanted: Any) -> list[str]:
    if before == wanted:
        return []
    if isinstance(before, Mapping) and isinstance(wanted, Mapping):
        names = sorted({*before, *wanted})
        return [
            f"{key}.{name}: was {_short(before.get(name))}, now {_short(wanted.get(name))}"
            for name in names
            if before.get(name) != wanted.get(name)
        ]
    return [f"{key}: was {_short(before)}, now {_short(wanted)}"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return f"{text[:12]}…" if len(text) == 64 else text
