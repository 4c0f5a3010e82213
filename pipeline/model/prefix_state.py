"""Saved states of the embedded server: a prompt that was read once need not be read again.

A state is what llama.cpp keeps after reading a prefix (system text and examples). It is
valid for one model file, one server version and one text; these three name its file.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pipeline.errors import ModelUnavailable
from pipeline.model.endpoint import Message

_READ_SECONDS = 1800.0
_KEPT_STATES = 6
# Stands for the text that follows a prefix; no prompt contains it.
_MARK = "\u2e3a\u2e3b\u2e3a"


@dataclass(frozen=True, slots=True)
class Warmth:
    """What `warm` did: tokens held by the server, whether they came from disk, and the time."""

    tokens: int
    is_restored: bool
    seconds: float


class PrefixStates:
    """States of one running server, kept in `folder`, which the server writes to."""

    def __init__(self, address: str, api_key: str, folder: Path, identity: str) -> None:
        """`identity` names the model file and the server's version."""
        self._address = address
        self._api_key = api_key
        self._folder = folder
        self._identity = identity
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.last: str | None = None

    def warm(self, messages: Sequence[Message]) -> Warmth:
        """Restore the state after `messages`, or read them and save it.

        Raises ModelUnavailable when the server does not answer.
        """
        begin = time.monotonic()
        text = self._prefix_text(messages)
        name = hashlib.sha256(f"{self._identity}\n{text}".encode()).hexdigest()[:32]
        tokens = self.restore(name)
        is_restored = tokens is not None
        if tokens is None:
            tokens = self._read(text)
            self._save(name)
        self.last = name
        return Warmth(tokens, is_restored, round(time.monotonic() - begin, 3))

    def restore(self, name: str) -> int | None:
        """Restore the state saved as `name`: its tokens, or None when no whole file is there.

        A file whose hash is not the sealed one is deleted: the server would die of it.
        """
        state = self._state(name)
        try:
            whole = hashlib.sha256(state.read_bytes()).hexdigest() == self._seal(name).read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return None
        if not whole:
            state.unlink(missing_ok=True)
            return None
        state.touch()
        return int(self._post("/slots/0?action=restore", {"filename": state.name})["n_restored"])

    def _prefix_text(self, messages: Sequence[Message]) -> str:
        """The text that the chat template makes of `messages` up to the next user's first character."""
        turns = [message.as_dict() for message in (*messages, Message("user", _MARK))]
        rendered: str = self._post("/apply-template", {"messages": turns})["prompt"]
        return rendered[: rendered.index(_MARK)]

    def _read(self, text: str) -> int:
        body = {"prompt": text, "n_predict": 0, "cache_prompt": True, "id_slot": 0}
        return int(self._post("/completion", body)["tokens_evaluated"])

    def _save(self, name: str) -> None:
        """Save under a name of this process's own first: another run may be reading the file."""
        draft = self._folder / f"{name}.{os.getpid()}"
        try:
            self._post("/slots/0?action=save", {"filename": draft.name})
            seal = hashlib.sha256(draft.read_bytes()).hexdigest()
            self._seal(name).write_text(seal, encoding="ascii")
            draft.replace(self._state(name))
            self._prune()
        except (OSError, ModelUnavailable):
            draft.unlink(missing_ok=True)

    def _state(self, name: str) -> Path:
        return self._folder / f"{name}.state"

    def _seal(self, name: str) -> Path:
        return self._folder / f"{name}.sha256"

    def _prune(self) -> None:
        states = sorted(self._folder.glob("*.state"), key=lambda file: file.stat().st_mtime, reverse=True)
        for state in states[_KEPT_STATES:]:
            state.unlink(missing_ok=True)
            state.with_suffix(".sha256").unlink(missing_ok=True)

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._address + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=_READ_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")[:300]
            raise ModelUnavailable(f"the embedded server refused {path} ({error.code}): {said}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise ModelUnavailable(f"the embedded server did not answer {path}: {error}") from error
