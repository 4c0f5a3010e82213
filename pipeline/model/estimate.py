"""Tokens of a request before the endpoint has counted them."""

from __future__ import annotations

from pipeline.model.completion import TokenCounts
from pipeline.model.profile import ModelProfile
from pipeline.model.question import Prefix, Question
from pipeline.model.tokens import TokenCounter

# Counted here is so much less than what an endpoint may count.
_MORE = 1.1


class TokenEstimate:
    """Tokens of a question at the most: read as far as `counter` knows the model, written all that it may."""

    def __init__(self, profile: ModelProfile, counter: TokenCounter | None) -> None:
        self._profile = profile
        self._counter = counter
        self._prefix_tokens: dict[str, int] = {}

    def __call__(self, question: Question) -> TokenCounts:
        """Without a counter each character counts as a token: more than any tokenizer makes of such text."""
        written = question.max_tokens + self._profile.thinking_tokens
        if self._counter is None:
            characters = len(question.prefix.as_json) + len(question.text) + len(question.form.schema_json)
            return TokenCounts(characters, 0, written)
        own = self._counter.count_messages(question.messages) + self._counter.count(question.form.schema_json)
        return TokenCounts(round(_MORE * (self._prefix_count(question.prefix) + own)), 0, written)

    def _prefix_count(self, prefix: Prefix) -> int:
        if self._counter is None or not prefix.messages:
            return 0
        if prefix.sha256 not in self._prefix_tokens:
            self._prefix_tokens[prefix.sha256] = self._counter.count_messages(prefix.messages)
        return self._prefix_tokens[prefix.sha256]
