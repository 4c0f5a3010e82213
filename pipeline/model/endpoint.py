"""What answers questions: an OpenAI-compatible endpoint and the messages sent to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.config import API_KEY_VARIABLES
from pipeline.errors import ModelUnavailable
from pipeline.model.profile import ModelProfile, profile_of

DEFAULT_TIMEOUT_SECONDS = 180.0
Role = Literal["system", "user", "assistant"]
_USUAL = ModelProfile()
_SCHEMA_FIRST_HOSTS = ("openai.com", "openai.azure.com")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str

    def as_dict(self) -> dict[str, str]:
        """The message as the endpoint takes it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True)
class Endpoint:
    """A model behind an OpenAI-compatible API.

    `label` stands for the endpoint in the answers' keys and in records: it holds no
    key and no random port. `grammar` is for llama.cpp servers: it turns a JSON schema
    into a grammar that is sent in its place. `revive` is called before a retry when the
    connection failed; it may restart a server or raise ModelUnavailable. `settles` says
    which figures the model's labels settle: those of which wording is `silent`, or all
    that wording leaves `open` (a small model is right less often than a weak wording).
    `profile` says how the model wants to be asked. `form_in_words`: the answer's form is said in
    the question, where it can be. OpenAI puts a schema in front of all messages, so that questions
    with a schema of their own each would share no beginning, and nothing of it be cached.
    """

    base_url: str
    model: str
    label: str
    api_key_env: str | None = None
    api_key: SecretStr = field(default=SecretStr(""), repr=False, compare=False)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    grammar: Callable[[Mapping[str, Any]], str] | None = field(default=None, repr=False, compare=False)
    revive: Callable[[], None] | None = field(default=None, repr=False, compare=False)
    settles: Literal["silent", "open"] = "open"
    profile: ModelProfile = _USUAL
    form_in_words: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine; proxies are then passed by."""
        return (urlsplit(self.base_url).hostname or "") in _LOOPBACK

    def without_key(self, text: str) -> str:
        """`text` with the key blotted out, should it stand there."""
        secret = self.api_key.get_secret_value()
        return text.replace(secret, "***") if secret else text


def puts_schema_first(host: str) -> bool:
    """Whether the servers of a host put the answer's schema in front of all messages.

    OpenAI's guide to prompt caching, "What can be cached".
    """
    return any(f".{host}".endswith(f".{each}") for each in _SCHEMA_FIRST_HOSTS)


def remote_endpoint(
    model: str, base_url: str, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, needs_key: bool = True
) -> Endpoint:
    """The endpoint at `base_url`, its key taken from the environment.

    Raises ModelUnavailable for a URL that is none, and for one that is not on this
    machine when no key is set; `needs_key` is false where nothing will be asked.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelUnavailable(
            f"{parts.hostname or base_url!r} is no base URL: it must be http(s)://host/path"
        )
    if parts.username or parts.password:
        raise ModelUnavailable(f"take the key out of the base URL and set {API_KEY_VARIABLES[0]} instead")
    variable = next((name for name in API_KEY_VARIABLES if os.environ.get(name)), None)
    endpoint = Endpoint(
        base_url=base_url,
        model=model,
        label=f"{parts.netloc}{parts.path.rstrip('/')}",
        api_key_env=variable,
        api_key=SecretStr(os.environ[variable] if variable else ""),
        timeout_seconds=timeout_seconds,
        profile=profile_of(model),
        form_in_words=puts_schema_first(parts.hostname),
    )
    if needs_key and variable is None and not endpoint.is_loopback:
        raise ModelUnavailable(f"no key for {parts.hostname}: set {' or '.join(API_KEY_VARIABLES)}")
    return endpoint
