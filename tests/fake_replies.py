"""What the fake server is told to do: kinds of fault, a scripted reply, its behaviour without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

JSON = dict[str, Any]

TransportFault = Literal[
    "429", "429_seconds", "429_date", "429_ms", "500", "502", "503", "504", "529", "408", "409",
    "reset", "reset_midway", "stall", "stall_midway", "truncated", "html", "html_502", "empty_body",
]  # fmt: skip
AnswerFault = Literal[
    "no_choices", "null_choices", "null_message", "length", "not_json", "wrong_label", "missing_key",
    "refusal", "content_filter", "no_usage", "usage_negative", "usage_huge", "usage_strings", "fenced",
]  # fmt: skip
FinalFault = Literal["quota", "401", "403", "404"]
Fault = Literal["", TransportFault, AnswerFault, FinalFault]

TRANSPORT_FAULTS: tuple[TransportFault, ...] = get_args(TransportFault)
ANSWER_FAULTS: tuple[AnswerFault, ...] = get_args(AnswerFault)
# What chance may draw; the final ones would rightly end a run.
RANDOM_FAULTS: tuple[Fault, ...] = (*TRANSPORT_FAULTS, *ANSWER_FAULTS)
# What a line of a batch may draw: an answer in the output file or a status in the error file.
LINE_FAULTS: tuple[Fault, ...] = (*ANSWER_FAULTS, "500", "429")
# Work that is done although its answer gets lost: a batch exists, the client does not know its name.
DONE_ANYWAY: frozenset[Fault] = frozenset({"reset_midway", "stall_midway", "truncated", "504"})

# Answers that are right and whole, whatever their usage says.
USABLE = frozenset({"ok", "no_usage", "usage_negative", "usage_huge", "usage_strings"})

Place = Literal["chat", "files", "batches"]


@dataclass(frozen=True)
class Reply:
    """What the server does with one request: a fault, a status, or a completion with `content`.

    `content` None is the oracle's answer to the request.
    """

    content: str | None = "{}"
    fault: Fault = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    code: str | None = None
    logprobs: tuple[tuple[str, float], ...] | None = None

    @property
    def kind(self) -> str:
        """Its name in statistics and log."""
        return self.fault or ("ok" if self.status == 200 else str(self.status))


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves where no script says so.

    `faults` and `batch_faults` are shares of requests and of batch lines; one question suffers at
    most `max_faults` of them (0: no cap). `expiring_batches` and `failing_batches` say how many of
    the first batches end so; of an expired one `expired_share` of the lines have an answer.
    """

    latency_ms: float = 0.0
    jitter: float = 0.0
    faults: float = 0.0
    kinds: Sequence[Fault] = RANDOM_FAULTS
    max_faults: int = 3
    fault_places: frozenset[Place] = frozenset({"chat"})
    seed: int = 0
    retry_after_seconds: float = 1.0
    stall_seconds: float = 600.0
    limit_inflight: int = 0
    rpm: float = 0.0
    batch_seconds: float = 0.5
    batch_faults: float = 0.0
    failing_batches: int = 0
    expiring_batches: int = 0
    expired_share: float = 0.5
    state: Path | None = None
    log: Path | None = None
    keep_requests: bool = True
