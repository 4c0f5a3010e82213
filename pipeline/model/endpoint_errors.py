"""What the failures of an endpoint are for a user: an error of the package that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import EndpointGone, ModelUnavailable
from pipeline.model.endpoint import Endpoint
from pipeline.model.failure import RequestFailed


@dataclass(frozen=True, slots=True)
class EndpointErrors:
    """Errors of one endpoint. `use` is what its key must allow; `meanwhile` follows "Run it again"."""

    endpoint: Endpoint
    use: str = "use this model"
    meanwhile: str = ""

    @property
    def at(self) -> str:
        """The endpoint with its address."""
        return f"{self.endpoint.label} ({self.endpoint.base_url})"

    def key_refused(self, error: RequestFailed) -> ModelUnavailable:
        """Kind `key`."""
        source = self.endpoint.api_key_env or "no environment variable"
        return ModelUnavailable(
            f"{self.at} refused the key ({error.status}; the key came from {source}): "
            f"set GONGKAI_API_KEY to one that may {self.use}"
        )

    def quota_used_up(self, error: RequestFailed) -> ModelUnavailable:
        """Kind `quota`."""
        return ModelUnavailable(f"{self.at}: the account's quota is used up. It said: {error.detail}")

    def nothing_listens(self) -> ModelUnavailable:
        """Kind `refused`, before the first response."""
        return ModelUnavailable(
            f"nothing listens at {self.endpoint.base_url}: start the server or check --base-url"
        )

    def too_long_to_wait(self, error: RequestFailed) -> EndpointGone:
        """It asks to wait longer than anybody is made to."""
        return EndpointGone(
            f"{self.at} asks to wait {error.wait_seconds:.0f} seconds ({error.detail}). "
            f"Run the same command again then{self.meanwhile}"
        )

    def no_response(self, error: RequestFailed, seconds: float) -> EndpointGone:
        """Nothing usable for longer than patience lasts; `error` is the last."""
        return EndpointGone(
            f"{self.at} has given no usable response for {seconds:.0f} seconds; the last: {error.detail}. "
            f"Run the same command again when it answers{self.meanwhile}"
        )
