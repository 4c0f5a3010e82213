"""How a model wants to be asked: `profiles.yaml`, by the model's name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("profiles.yaml")
SEED = 1
TOP_LOGPROBS = 20  # the most that the API gives: enough to renormalise over the labels allowed


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """`sentences` a question at the most; parameters that the model takes (profiles.yaml)."""

    sentences: int = 1
    logprobs: bool = True
    reasoning_effort: str | None = None
    thinking_tokens: int = 0

    def parameters(self, max_tokens: int, logprobs: bool) -> dict[str, Any]:
        """The parameters of a request for an answer of at most `max_tokens` tokens."""
        if self.thinking_tokens:
            effort = {} if self.reasoning_effort is None else {"reasoning_effort": self.reasoning_effort}
            name = "max_tokens" if self.reasoning_effort is None else "max_completion_tokens"
            return {**effort, name: max_tokens + self.thinking_tokens}
        parameters: dict[str, Any] = {"temperature": 0, "seed": SEED, "max_tokens": max_tokens}
        if logprobs and self.logprobs:
            parameters |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return parameters


def profile_of(model: str) -> ModelProfile:
    """The profile of a model behind an endpoint."""
    name = model.lower().rpartition("/")[2]
    return next(profile for patterns, profile in _profiles() if any(fnmatchcase(name, p) for p in patterns))


@cache
def _profiles() -> tuple[tuple[tuple[str, ...], ModelProfile], ...]:
    entries = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(
        (tuple(entry["match"]), ModelProfile(**{key: entry[key] for key in entry if key != "match"}))
        for entry in entries
    )
