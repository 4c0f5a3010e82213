"""Questions through the Batch API: at about half the price, answered within a day.

`BatchTransport` takes the place of single requests. A question whose answer has come is
answered from `batch.sqlite`; any other is queued there and its document waits. `collect` sends
what is queued and fetches what is answered; the documents are then begun again. A question that
is asked anew, because an answer was of the wrong form, goes into the next batch by itself.

    batch_file      state on disk               batch_endpoint  files and batches over HTTP
    batch_lines     lines there and back        batch_collect   a round: send, wait, fetch
    batch_money     budget and bill
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from pipeline.errors import WaitsForBatch
from pipeline.model.batch_collect import BatchLimits, Collector
from pipeline.model.batch_endpoint import BatchEndpoint
from pipeline.model.batch_file import BatchFile
from pipeline.model.batch_lines import batch_line
from pipeline.model.batch_money import BatchMoney
from pipeline.model.completion import Completion, TokenCounts, read_completion
from pipeline.model.failure import RequestFailed
from pipeline.model.question import Asked, Question

__all__ = ["BatchLimits", "BatchTransport"]


class BatchTransport:
    """A transport of ModelClient whose answers come with batches, and `collect` for LocalEngine.

    `estimate` tells the tokens of a question at the most, `say` a sentence to the user.
    """

    def __init__(
        self,
        endpoint: BatchEndpoint,
        file: BatchFile,
        money: BatchMoney,
        estimate: Callable[[Question], TokenCounts],
        say: Callable[[str], None] = lambda message: None,
        limits: BatchLimits | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._file = file
        self._estimate = estimate
        self._collector = Collector(endpoint, file, money, say, limits or BatchLimits())

    async def __call__(self, asked: Asked, body: bytes) -> Completion:
        """The answer that has come. Raises WaitsForBatch before, RequestFailed where none will."""
        sha256 = hashlib.sha256(body).hexdigest()
        found = self._file.find(sha256)
        if found is not None and found.state == "done":
            completion = read_completion(found.response)
            completion.is_counted = True
            return completion
        if found is not None and found.state == "dead":
            raise RequestFailed(found.kind, found.detail, is_counted=True)
        size = len(batch_line(sha256, self._endpoint.url, body))
        self._file.queue(sha256, asked.key, body, size, self._estimate(asked.question))
        raise WaitsForBatch(f"{self._endpoint.at}: the answer comes with a batch")

    async def collect(self, stop: threading.Event) -> None:
        """Send what is queued, wait until all batches have ended, keep what they have brought.

        `stop` ends the waiting: batches go on at the endpoint. Raises BudgetReached when nothing
        is under way and no further question fits; ModelUnavailable (EndpointGone is one) when the
        endpoint does not answer or takes no batches.
        """
        await self._collector.collect(stop)
