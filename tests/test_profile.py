"""How models want to be asked, by their names."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.model.profile import SEED, TOP_LOGPROBS, ModelProfile, profile_of

PLAIN = {"temperature": 0, "seed": SEED, "max_tokens": 50}
TOP = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}

# The model, what a request for 50 tokens with log-probabilities says, sentences a question.
MODELS: list[tuple[str, dict[str, Any], int]] = [
    ("gpt-4o-mini", {**PLAIN, **TOP}, 8),
    ("openai/gpt-4.1", {**PLAIN, **TOP}, 8),
    ("deepseek-chat", {**PLAIN, **TOP}, 8),
    ("GPT-5-mini", {"reasoning_effort": "low", "max_completion_tokens": 4050}, 8),
    ("openai/gpt-5", {"reasoning_effort": "low", "max_completion_tokens": 4050}, 8),
    ("o4-mini", {"reasoning_effort": "low", "max_completion_tokens": 4050}, 8),
    ("gpt-5-chat-latest", {**PLAIN, **TOP}, 8),
    ("deepseek-reasoner", {"max_tokens": 8050}, 8),
    ("deepseek-ai/DeepSeek-R1", {"max_tokens": 8050}, 8),
    ("Qwen/Qwen3-30B-A3B-Thinking-2507", {"max_tokens": 8050}, 8),
    ("gemini-2.5-flash", PLAIN, 8),
    ("glm-4.5", PLAIN, 8),
    ("mistral-small-latest", PLAIN, 8),
    ("Qwen/Qwen3-4B-Instruct", {**PLAIN, **TOP}, 1),
    ("qwen3:4b", {**PLAIN, **TOP}, 1),
    ("qwen2.5-14b-instruct", {**PLAIN, **TOP}, 8),
    ("something-new", {**PLAIN, **TOP}, 8),
]


@pytest.mark.parametrize(("model", "parameters", "sentences"), MODELS, ids=[case[0] for case in MODELS])
def test_model(model: str, parameters: dict[str, Any], sentences: int) -> None:
    profile = profile_of(model)
    assert profile.parameters(50, logprobs=True) == parameters
    assert profile.sentences == sentences


def test_logprobs_are_asked_for_only_where_they_are_wanted() -> None:
    assert ModelProfile().parameters(50, logprobs=False) == PLAIN
    assert ModelProfile(logprobs=False).parameters(50, logprobs=True) == PLAIN
