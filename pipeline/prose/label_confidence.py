"""How sure a model was of its labels: token probabilities, renormalised over the labels allowed.

A server reports log-probabilities from before the grammar's mask: what the model would
have liked to write and could not is in them. At each token of a label only those
candidates count that go on to some allowed label; the product over the tokens is then the
probability of the label among the labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pipeline.model.question import TokenLogprob

UNKNOWN_CONFIDENCE = 0.5


def label_confidences(
    content: str,
    logprobs: Sequence[TokenLogprob] | None,
    chosen: Sequence[str],
    allowed: Sequence[Sequence[str]],
) -> list[float]:
    """The probability of each of `chosen`, in order, among its `allowed` labels.

    `content` is the answer as written, `logprobs` its tokens. Where the endpoint gives no
    probabilities, or the labels do not stand in the answer in order, all get
    `UNKNOWN_CONFIDENCE`.
    """
    tokens = logprobs or ()
    written = "".join(token.token for token in tokens)
    # More may have been written than the answer: a fence of Markdown around it.
    begin = written.find(content) if content else -1
    if begin < 0:
        return [UNKNOWN_CONFIDENCE] * len(chosen)
    confidences = []
    for label, labels in zip(chosen, allowed, strict=True):
        begin = written.find(f'"{label}"', begin) + 1
        if not begin:
            return [UNKNOWN_CONFIDENCE] * len(chosen)
        confidences.append(_probability(tokens, begin, label, labels))
        begin += len(label)
    return confidences


def _probability(tokens: Sequence[TokenLogprob], begin: int, label: str, labels: Sequence[str]) -> float:
    """Of `label`, which starts at character `begin`: the product over its tokens and the closing quote."""
    product = 1.0
    for token, start in _overlapping(tokens, begin, begin + len(label) + 1):
        written = label[: max(0, start - begin)]
        lead = token.token[: max(0, begin - start)]
        if token.alternatives:
            open_labels = [other for other in labels if other.startswith(written)]
            rests = {other: f'{lead}{other[len(written) :]}"' for other in open_labels}
            product *= _share(token, rests, label)
        elif start < begin + len(label):
            product *= math.exp(token.logprob)
    return product


def _overlapping(tokens: Sequence[TokenLogprob], start: int, end: int) -> Iterator[tuple[TokenLogprob, int]]:
    """The tokens that hold any of the characters from `start` to `end`, each with where it begins."""
    position = 0
    for token in tokens:
        if start < position + len(token.token) and position < end:
            yield token, position
        position += len(token.token)


def _share(token: TokenLogprob, rests: dict[str, str], label: str) -> float:
    """The written token's probability among the candidates that go on to an allowed label.

    A label that no listed candidate goes on to may still have had up to the probability
    of the last one listed.
    """
    if len(rests) == 1:
        return 1.0  # the grammar left no choice
    candidates = dict(token.alternatives) | {token.token: token.logprob}
    least = math.exp(min(logprob for _, logprob in token.alternatives))
    own = other = 0.0
    seen: set[str] = set()
    for text, logprob in candidates.items():
        leads_to = {name for name, rest in rests.items() if text and _goes_on(text, rest)}
        seen |= leads_to
        if text == token.token or leads_to == {label}:
            own += math.exp(logprob)
        elif leads_to:
            other += math.exp(logprob)
    unseen = len(rests.keys() - seen) * least
    total = own + other + unseen
    return own / total if total > 0 else 1 / len(rests)


def _goes_on(text: str, rest: str) -> bool:
    return rest.startswith(text) or text.startswith(rest)
