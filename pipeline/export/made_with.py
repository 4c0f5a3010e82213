"""What a run was made with and how well it scored, for those who open an export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.runs.in_force import ReviewCounts
from pipeline.runs.manifest import Manifest, load_manifest

# What must be the same for a score of one run to speak of another.
_IDENTITY = ("strategy", "model", "model_resolved", "prompts", "schema_sha256")


@dataclass(frozen=True)
class MadeWith:
    """`lines` are names and contents in order; `scores` is the content of `scores.json`, if there is one.

    `is_reviewed`: people have checked figures, so that not all that is exported is the machine's.
    """

    lines: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Any] | None = None
    is_reviewed: bool = False


def made_with(run: Path, scores: Path | None = None, review: ReviewCounts | None = None) -> MadeWith:
    """From the manifest of the run and how much of it people have checked.

    UsageError when `scores` are of an extraction of another kind.
    """
    manifest = load_manifest(run)
    content = None if scores is None else _load_scores(scores)
    if content is not None and manifest is not None:
        _require_same(content["run"], manifest, scores)
    lines = {
        **({} if manifest is None else _lines(manifest)),
        **({} if review is None else {"review": review.sentence}),
    }
    return MadeWith(lines, content, review is not None)


def _lines(manifest: Manifest) -> dict[str, str]:
    identity, last = manifest.identity, manifest.sessions[-1]
    changed = ", with changes" if last.dirty else ""
    lines = {
        "strategy": identity.strategy,
        "model": identity.model or "none",
        "weights": identity.model_resolved,
        "version": f"gongkai {last.version}" + (f", commit {last.commit}{changed}" if last.commit else ""),
        "schema": identity.schema_sha256,
        **{f"prompt {name}": content_hash for name, content_hash in identity.prompts.items()},
    }
    return {name: content for name, content in lines.items() if content}


def _load_scores(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for key in ("run", "overall", "by_source", "documents", "gold_hash", "statement"):
            content[key]
    except OSError as error:
        raise UsageError(f"--scores {path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--scores {path}: is no scores.json of `gongkai eval` ({type(error).__name__}: {error})"
        ) from error
    checked: Mapping[str, Any] = content
    return checked


def _require_same(scored: Mapping[str, Any], manifest: Manifest, path: Path | None) -> None:
    """The gold is seldom in the run itself: what counts is that it was extracted in the same way."""
    for name in _IDENTITY:
        here = getattr(manifest.identity, name)
        if scored.get(name) != here:
            raise UsageError(
                f"--scores {path}: scored is a run with {name} {scored.get(name)!r}, this one has {here!r}. "
                "Score a run that was extracted in the same way"
            )
