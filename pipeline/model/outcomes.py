"""What becomes of a response: an answer, one that was cut off, or none that can be used."""

from __future__ import annotations

from pipeline.errors import AnswerInvalid, AnswerRefused
from pipeline.fact import Usage
from pipeline.model.completion import EXCERPT, Completion
from pipeline.model.llm import NotFitting
from pipeline.model.question import Answer, CutOff, Reply


class CutOffError(Exception):
    """finish_reason=length; `content` is what was written."""

    def __init__(self, label: str, content: str) -> None:
        super().__init__(f"{label}: the answer was cut off (finish_reason=length), it ends {content[-80:]!r}")
        self.content = content


def usable(completion: Completion, label: str) -> Completion:
    """The completion, unless it was cut off or refused: the same request again would not help.

    Raises CutOffError and AnswerInvalid, in which `label` names the endpoint.
    """
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        raise CutOffError(label, completion.content)
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        reason = choice.message.refusal or "finish_reason=content_filter"
        raise AnswerRefused(f"{label}: the model refused to answer: {reason[:EXCERPT]}")
    return completion


def unfit(error: NotFitting, label: str, max_reasks: int) -> AnswerInvalid:
    """The error for a question whose answers all had the wrong form."""
    return AnswerInvalid(
        f"{label}: the answer did not fit its schema after {max_reasks} "
        f"re-asks; the last was {error.content[:EXCERPT]!r}: {error.fault}"
    )


def paid_already(reply: Reply) -> Reply:
    """A reply that was paid with another one's question."""
    if isinstance(reply, CutOff):
        return CutOff(Usage(), reply.message)
    return Answer(reply.content, Usage(), reply.stored_usage, True, reply.logprobs)
