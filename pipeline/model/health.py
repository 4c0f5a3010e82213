"""Whether an endpoint answers anybody: when a request is given up, and whose failure that is.

An endpoint that gives no usable response to anybody is waited for, then given up for the
whole run: no document is called failed because a server was down.
"""

from __future__ import annotations

import time

from pipeline.errors import EndpointGone, GongkaiError, ModelUnavailable, TransportFailed
from pipeline.model.endpoint import Endpoint
from pipeline.model.endpoint_errors import EndpointErrors
from pipeline.model.failure import RequestFailed
from pipeline.model.waiting import MAX_RETRY_AFTER_SECONDS

# An endpoint is not called gone before it was asked so often: one request may take longer than patience.
_LEAST_ATTEMPTS = 3
# Refused so often without one success, the request itself is wrong and so will be all others.
_MAX_REJECTED = 3


class Health:
    """What one endpoint has answered so far; times are those of time.monotonic.

    `max_attempts` and `patience_seconds` are those of the client.
    """

    def __init__(self, endpoint: Endpoint, max_attempts: int, patience_seconds: float | None) -> None:
        self.last_success: float | None = None
        self.failing_since: float | None = None
        self._endpoint = endpoint
        self._errors = EndpointErrors(endpoint)
        self._max_attempts = max_attempts
        self._patience_seconds = patience_seconds
        self._rejected = 0

    def succeeded(self) -> None:
        """A usable response has come."""
        self.last_success, self.failing_since, self._rejected = time.monotonic(), None, 0

    def failed(self, error: RequestFailed) -> None:
        """A request has failed; only what may pass tells of the endpoint."""
        if error.is_transient and self.failing_since is None:
            self.failing_since = time.monotonic()

    def is_enough(self, began: float, attempts: int) -> bool:
        """Whether to give up: others had answers meanwhile, or nobody has had one for too long."""
        is_often_enough = attempts >= self._max_attempts
        if self._patience_seconds is None or self.failing_since is None:
            return is_often_enough
        if self.last_success is not None and self.last_success > began:
            return is_often_enough
        is_gone = time.monotonic() - self.failing_since >= self._patience_seconds
        return is_gone and attempts >= min(_LEAST_ATTEMPTS, self._max_attempts)

    def may_help(self, error: BaseException) -> bool:
        """Whether to ask again after this error."""
        if not isinstance(error, RequestFailed) or error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
            return False
        if error.kind == "refused":
            return self.last_success is not None or self._endpoint.revive is not None
        return error.is_transient

    def failure(self, error: RequestFailed, requests: int) -> GongkaiError:
        """The package's own error for a question without a response after so many requests."""
        errors = self._errors
        if error.is_counted:
            return TransportFailed(f"{errors.at}: {error.detail}")
        if error.kind == "key":
            return errors.key_refused(error)
        if error.kind == "unknown":
            return ModelUnavailable(
                f"{errors.at} does not know the model {self._endpoint.model!r} or the path (404): "
                f"check --model and --base-url. It said: {error.detail}"
            )
        if error.kind == "quota":
            return errors.quota_used_up(error)
        if error.kind == "refused" and self.last_success is None:
            return errors.nothing_listens()
        return self._no_response(error, requests)

    def _no_response(self, error: RequestFailed, requests: int) -> GongkaiError:
        """This question's failure, or the endpoint's own where it answers nobody."""
        if error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
            return self._errors.too_long_to_wait(error)
        at = self._errors.at
        if error.kind == "rejected":
            self._rejected += 1
            if self._rejected >= _MAX_REJECTED and self.last_success is None:
                return EndpointGone(f"{at} rejects every request. It said: {error.detail}")
        since, patience = self.failing_since, self._patience_seconds
        seconds = 0.0 if since is None else time.monotonic() - since
        if patience is not None and error.is_transient and seconds >= patience:
            return self._errors.no_response(error, seconds)
        return TransportFailed(f"{at}: no usable response after {requests} requests: {error.detail}")
