"""Files and batches of an endpoint, asked patiently; nothing is made there twice.

Before a file is sent or a batch made, the time is written down. When the answer to that was
lost, with the connection or with this program, the thing is looked for by its tag and made
only if it is not there.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from pipeline.errors import ModelUnavailable
from pipeline.model.batch_file import BatchFile, Job
from pipeline.model.batch_lines import LineResult, is_token_limit, line_url, parsed_object, read_results
from pipeline.model.endpoint import Endpoint
from pipeline.model.endpoint_errors import EndpointErrors
from pipeline.model.failure import FailureKind, RequestFailed
from pipeline.model.llm import Api
from pipeline.model.waiting import MAX_RETRY_AFTER_SECONDS, PATIENCE_SECONDS, wait_seconds, whole_within

_WINDOW = "24h"
_PAGE = "100"
# Files of a batch are up to 200 MB: they are given the time that they need at so many bytes a second.
_SLOWEST_BYTES_PER_SECOND = 100_000
_LONGEST_DOWNLOAD_SECONDS = 3600.0
# After these the endpoint has surely done nothing.
_NOTHING_DONE: frozenset[FailureKind] = frozenset(
    {"throttled", "refused", "key", "unknown", "quota", "rejected"}
)
# A file that comes so often with the same lines missing is like that.
_SAME_DOWNLOADS = 4
_STOP_SECONDS = 0.1
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

T = TypeVar("T")


class StopWaiting(Exception):
    """The run is to end in order."""


class TokenLimit(Exception):
    """The endpoint does not take a batch now: too many tokens wait there."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long an endpoint may give no usable response, and how long what it has done may
    take to show up in its lists. `factor` is for tests, on all waiting between attempts."""

    seconds: float = PATIENCE_SECONDS
    settling_seconds: float = 10.0
    factor: float = 1.0


class BatchEndpoint:
    """Files and batches at `endpoint`; what is under way is kept in `file`.

    Methods raise EndpointGone or ModelUnavailable, and StopWaiting once `stop` is set and
    something has to be waited for.
    """

    def __init__(self, endpoint: Endpoint, file: BatchFile, patience: Patience = Patience()) -> None:
        self.url = line_url(endpoint.base_url)
        self._errors = EndpointErrors(endpoint, "use batches", ": batches go on meanwhile")
        self.at = self._errors.at
        self.stop = threading.Event()
        self._endpoint = endpoint
        self._file = file
        self._patience = patience
        self._api = Api(endpoint)
        self._has_answered = False

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def pause(self, seconds: float) -> None:
        """Wait, unless the run is to end."""
        until = time.monotonic() + seconds
        while not self.stop.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(_STOP_SECONDS, left))
        raise StopWaiting

    async def send_file(self, job: Job, content: bytes) -> None:
        """Have the batch's file at the endpoint."""
        seconds = len(content) / _SLOWEST_BYTES_PER_SECOND

        async def send() -> str:
            made = await self._whole(self._api.upload(job.file_name, content), seconds)
            return _name_of(parsed_object(made))

        job.file_id = await self._made_once(job, "a file for a batch", send, self._find_file)
        job.attempted = None
        self._file.keep_job(job)

    async def make_batch(self, job: Job) -> None:
        """Have the batch at the endpoint, where it is worked on from now on. Raises TokenLimit."""
        order = {
            "input_file_id": job.file_id,
            "endpoint": self.url,
            "completion_window": _WINDOW,
            "metadata": {"gongkai": job.tag},
        }

        async def make() -> str:
            return _name_of(parsed_object(await self._whole(self._api.post("/batches", order))))

        job.batch_id = await self._made_once(job, "a batch", make, self._find_batch)
        job.attempted = None
        self._file.keep_job(job)

    async def batch(self, job: Job) -> dict[str, Any]:
        """The batch as it is now."""

        async def look() -> dict[str, Any]:
            batch = parsed_object(await self._whole(self._api.get(f"/batches/{job.batch_id}")))
            if not isinstance(batch.get("status"), str):
                raise RequestFailed("unusable", f"a batch without a status: {sorted(batch)}")
            if batch["status"] in ENDED and _stated(batch, "completed") and not batch.get("output_file_id"):
                # They are paid: better wait for them than ask again.
                raise RequestFailed("unusable", "a batch that has ended, with answers but without their file")
            return batch

        return await self._patiently(look, f"the batch {job.batch_id}")

    async def results(self, batch: Mapping[str, Any]) -> dict[str, LineResult]:
        """All lines of the batch's files, by the questions' hashes."""
        results: dict[str, LineResult] = {}
        # Endpoints differ in which file failed lines stand: the one with errors may hold only some of them.
        least_failed = min(1, _stated(batch, "failed"))
        for key, least in (("output_file_id", _stated(batch, "completed")), ("error_file_id", least_failed)):
            name = batch.get(key)
            if isinstance(name, str):
                for sha256, result in (await self._download(name, least)).items():
                    if sha256 not in results or results[sha256].response is None:
                        results[sha256] = result
        return results

    async def _download(self, name: str, least: int) -> dict[str, LineResult]:
        """The lines of a file, which are `least` lines or more; a torn one is fetched again."""
        seen: Counter[int] = Counter()

        async def fetch() -> dict[str, LineResult]:
            path = f"/files/{name}/content"
            content = await self._whole(self._api.get(path), _LONGEST_DOWNLOAD_SECONDS)
            results, unreadable = read_results(content)
            seen[hash(content)] += 1
            is_whole = not unreadable and len(results) >= least
            if not is_whole and (not results or seen[hash(content)] < _SAME_DOWNLOADS):
                raise RequestFailed("unusable", f"results with {len(results)} whole lines of {least} or more")
            return results

        return await self._patiently(fetch, f"the results {name}")

    async def _made_once(
        self,
        job: Job,
        what: str,
        make: Callable[[], Awaitable[str]],
        find: Callable[[Job], Awaitable[str | None]],
    ) -> str:
        """The name of what `make` makes, or has made when its answer was lost."""

        async def attempt() -> str:
            before = job.attempted
            if before is not None:
                await self._settle(before)
                found = await find(job)
                if found is not None:
                    return found
            job.attempted = time.time()
            self._file.keep_job(job)
            try:
                return await make()
            except RequestFailed as error:
                if error.kind in _NOTHING_DONE:
                    job.attempted = before
                raise

        return await self._patiently(attempt, what)

    async def _settle(self, attempted: float) -> None:
        """Let what was asked for at `attempted` show up; clocks may have been set back since."""
        seconds = self._patience.settling_seconds
        await self.pause(max(0.0, min(seconds, attempted + seconds - time.time())))

    async def _find_file(self, job: Job) -> str | None:
        found = [
            item async for item in self._listed("/files", {"purpose": "batch"}) if _is_file_of(item, job)
        ]
        return _oldest(found)

    async def _find_batch(self, job: Job) -> str | None:
        found = [item async for item in self._listed("/batches", {}) if _is_batch_of(item, job)]
        return _oldest(found)

    async def _listed(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        """All items of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = parsed_object(await self._whole(self._api.get(path, {**query, "limit": _PAGE, **after})))
            items = page.get("data")
            if not isinstance(items, list):
                raise RequestFailed("unusable", f"a list without data: {sorted(page)}")
            for item in items:
                if isinstance(item, Mapping) and isinstance(item.get("id"), str):
                    yield item
            last = items[-1].get("id") if items and isinstance(items[-1], Mapping) else None
            if not page.get("has_more") or not isinstance(last, str) or after.get("after") == last:
                return
            after = {"after": last}

    async def _whole(self, request: Awaitable[bytes], more_seconds: float = 0.0) -> bytes:
        """A whole response in time."""
        response = await whole_within(self._endpoint.timeout_seconds + more_seconds, request)
        self._has_answered = True
        return response

    async def _patiently(self, attempt: Callable[[], Awaitable[T]], what: str) -> T:
        """Repeat what may help, as long as is bearable."""
        began = time.monotonic()

        def may_help(error: BaseException) -> bool:
            if not isinstance(error, RequestFailed) or error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
                return False
            if is_token_limit(error.detail) or (error.kind == "refused" and not self._has_answered):
                return False
            return error.is_transient and time.monotonic() - began < self._patience.seconds

        retrying = AsyncRetrying(
            retry=retry_if_exception(may_help), wait=self._wait_seconds, sleep=self.pause, reraise=True
        )
        try:
            return await retrying(attempt)
        except RequestFailed as error:
            raise self._failure(error, what) from error

    def _wait_seconds(self, state: RetryCallState) -> float:
        return self._patience.factor * wait_seconds(state)

    def _failure(self, error: RequestFailed, what: str) -> Exception:
        """Why the run cannot go on now, in words for the user."""
        if is_token_limit(error.detail):
            return TokenLimit(error.detail)
        if error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
            return self._errors.too_long_to_wait(error)
        if error.kind == "refused" and not self._has_answered:
            return self._errors.nothing_listens()
        if error.is_transient:
            return self._errors.no_response(error, self._patience.seconds)
        if error.kind == "key":
            return self._errors.key_refused(error)
        if error.kind == "unknown":
            return ModelUnavailable(self._unknown(error, what))
        if error.kind == "quota":
            return self._errors.quota_used_up(error)
        return ModelUnavailable(f"{self.at} does not take {what}. It said: {error.detail}")

    def _unknown(self, error: RequestFailed, what: str) -> str:
        if what.startswith("a "):
            return (
                f"{self.at} takes no batches (404): leave out --batch or check --base-url. "
                f"It said: {error.detail}"
            )
        return (
            f"{self.at} does not know {what} any more (404): is the key of the account that it was made "
            f"with? To ask its questions again, and pay again, delete {self._file.path}. "
            f"It said: {error.detail}"
        )


def _name_of(made: Mapping[str, Any]) -> str:
    name = made.get("id")
    if not isinstance(name, str) or not name:
        raise RequestFailed("unusable", f"something without a name: {sorted(made)}")
    return name


def _stated(batch: Mapping[str, Any], count: str) -> int:
    """So many lines, as the batch itself says; 0 where it does not."""
    counts = batch.get("request_counts")
    number = counts.get(count) if isinstance(counts, Mapping) else None
    return number if isinstance(number, int) else 0


def lines_done(batch: Mapping[str, Any]) -> int:
    """Lines with an answer or an error by now."""
    return _stated(batch, "completed") + _stated(batch, "failed")


def _is_file_of(item: Mapping[str, Any], job: Job) -> bool:
    return item.get("filename") == job.file_name


def _is_batch_of(item: Mapping[str, Any], job: Job) -> bool:
    """A file is sent for one batch only, which tells it where an endpoint keeps no metadata."""
    metadata = item.get("metadata")
    tag = metadata.get("gongkai") if isinstance(metadata, Mapping) else None
    return tag == job.tag or item.get("input_file_id") == job.file_id


def _oldest(found: list[Mapping[str, Any]]) -> str | None:
    if not found:
        return None
    name: str = min(found, key=lambda item: item.get("created_at") or 0)["id"]
    return name
