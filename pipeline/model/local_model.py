"""The embedded model: llama.cpp's server in a child process, for the time of a `with` block."""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pydantic import SecretStr

from pipeline.config import cache_folders
from pipeline.errors import ModelUnavailable
from pipeline.model.catalog import DEFAULT_MODEL, Progress
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.prefix_state import PrefixStates, Warmth
from pipeline.model.weights import model_weights, pull_weights, quiet

_SERVER_SCRIPT = Path(__file__).with_name("server.py")
_START_SECONDS = 300.0
_STOP_SECONDS = 10.0
_NOTICE_SECONDS = 0.5
_MAX_RESTARTS = 1
_LOG_TAIL_BYTES = 600
# A small model on two busy cores may need minutes for a whole report.
_ANSWER_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server runs. `context_tokens` is for each of `slots`; `threads` None takes all cores."""

    context_tokens: int = 8192
    slots: int = 1
    threads: int | None = None
    gpu_layers: int = 0


class LocalModel:
    """A running embedded model.

    `with LocalModel() as model: ModelClient(model.endpoint, …)`. The weights are pulled
    when they are not on this machine. Listens on a free loopback port with a random key;
    restarts itself once if the server dies. Raises ModelUnavailable when it cannot run.
    """

    def __init__(
        self,
        name: str = DEFAULT_MODEL,
        *,
        path: Path | None = None,
        options: ServerOptions = ServerOptions(),
        progress: Progress = quiet,
    ) -> None:
        self.name = name
        self.weights = model_weights(name)
        self.options = options
        self._path = path
        self._progress = progress
        self._api_key = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._file: Path | None = None
        self._address = ""
        self._restarts = 0
        self._states: PrefixStates | None = None
        folders = cache_folders()
        self._prefix_folder = folders.prefix
        self.log_path = folders.logs / f"{name}-{os.getpid()}.log"

    def __enter__(self) -> Self:
        self._file = pull_weights(self.name, self._progress, self._path)
        try:
            self._start(port=0)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if error is None and not self._restarts:
            self.log_path.unlink(missing_ok=True)

    @property
    def endpoint(self) -> Endpoint:
        """Where the model answers; its label, not the random port, goes into the answers' keys."""
        return replace(
            silent_endpoint(self.name),
            base_url=f"{self._address}/v1",
            api_key=SecretStr(self._api_key),
            timeout_seconds=_ANSWER_SECONDS,
            revive=self.revive,
        )

    def warm_prefix(self, messages: Sequence[Message]) -> Warmth:
        """Have the server hold the state after `messages`, up to where the next user message begins.

        Restored from the cache when it was saved there before, else read once and saved.
        Without it everything works, only the first call reads the prefix.
        """
        if self._states is None:
            raise ModelUnavailable("the embedded model is not running: use it within `with LocalModel()`")
        begin = time.monotonic()
        pool = ThreadPoolExecutor(max_workers=1)
        warming = pool.submit(self._states.warm, messages)
        # Not waited for on Ctrl-C: leaving the `with` block stops the server and ends the thread.
        pool.shutdown(wait=False)
        while not wait([warming], timeout=1.0).done:
            seconds = time.monotonic() - begin
            self._progress(0, 1, f"reading prompt and examples once for all runs, {seconds:.0f} s")
        warmth = warming.result()
        self._progress(1, 1, f"prompt and examples ready: {warmth.tokens} tokens")
        return warmth

    def revive(self) -> None:
        """Start the server again if it died; ModelUnavailable when it already was restarted once."""
        with self._lock:
            if self._is_alive():
                return
            if self._restarts >= _MAX_RESTARTS:
                raise ModelUnavailable(f"the model's server died again. {self._log_hint()}")
            self._restarts += 1
            warm = self._states.last if self._states else None
            self._stop()
            states = self._start(int(self._address.rpartition(":")[2]))
            if warm is not None:
                states.restore(warm)
                states.last = warm

    def _is_alive(self) -> bool:
        """Whether the process runs; one that is just dying gets a moment to be gone."""
        if self._process is None:
            return False
        try:
            self._process.wait(_NOTICE_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _start(self, port: int) -> PrefixStates:
        try:
            self._prefix_folder.mkdir(parents=True, exist_ok=True)
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            with self.log_path.open("ab") as log:
                self._process = _spawn(log)
        except OSError as error:
            raise ModelUnavailable(f"the model's server cannot be started: {error}") from error
        self._send_configuration(port)
        ready = self._wait_until_ready()
        self._address = ready["address"]
        identity = f"{self.weights.sha256} {ready['version']}"
        self._states = PrefixStates(self._address, self._api_key, self._prefix_folder, identity)
        return self._states

    def _send_configuration(self, port: int) -> None:
        configuration = {
            "weights": str(self._file),
            "model": self.name,
            "port": port,
            "api_key": self._api_key,
            "context_tokens": self.options.context_tokens,
            "slots": self.options.slots,
            "threads": self.options.threads or os.cpu_count() or 1,
            "gpu_layers": self.options.gpu_layers,
            "prefix_folder": str(self._prefix_folder),
        }
        process = self._running()
        try:
            process.stdin.write(json.dumps(configuration) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise ModelUnavailable(f"the model's server did not start. {self._log_hint()}") from error

    def _wait_until_ready(self) -> Mapping[str, Any]:
        lines: queue.Queue[str] = queue.Queue()
        stdout = self._running().stdout
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        begin = time.monotonic()
        while (seconds := time.monotonic() - begin) < _START_SECONDS:
            self._progress(0, self.weights.size_bytes, f"loading {self.name}, {seconds:.0f} s")
            try:
                line = lines.get(timeout=1.0)
            except queue.Empty:
                continue
            if not line:
                raise ModelUnavailable(f"the model's server did not come up. {self._log_hint()}")
            self._progress(self.weights.size_bytes, self.weights.size_bytes, f"{self.name} is ready")
            ready: dict[str, Any] = json.loads(line)
            return ready
        raise ModelUnavailable(f"the model was not ready after {_START_SECONDS:.0f} s. {self._log_hint()}")

    def _running(self) -> _Process:
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise ModelUnavailable("the model's server is not running")
        return _Process(self._process.stdin, self._process.stdout)

    def _stop(self) -> None:
        """Close the server's input, which ends it; force it when it does not go."""
        process, self._process = self._process, None
        if process is None:
            return
        for stop in (_close_input, subprocess.Popen.terminate, subprocess.Popen.kill):
            stop(process)
            try:
                process.wait(_STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        if process.stdout is not None:
            process.stdout.close()

    def _log_hint(self) -> str:
        try:
            tail = self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
        except OSError:
            tail = ""
        return f"Its log is {self.log_path}; it ends: {tail.splitlines()[-1] if tail else '(empty)'}"


@dataclass(frozen=True, slots=True)
class _Process:
    stdin: IO[str]
    stdout: IO[str]


def _spawn(log: IO[bytes]) -> subprocess.Popen[str]:
    """The server's process. `-P` keeps this package's folder from hiding installed modules."""
    return subprocess.Popen(
        [sys.executable, "-P", str(_SERVER_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        # Waiting threads that spin make it five times slower as soon as anything else runs.
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        # Ctrl-C is for the run, which stops the server when it has put its work away.
        start_new_session=True,
    )


def _close_input(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            return


def silent_endpoint(name: str) -> Endpoint:
    """The embedded model `name` as the keys of its answers know it, without a server behind it."""
    return Endpoint(
        base_url="http://127.0.0.1:9/v1",  # the discard port: nobody listens
        model=name,
        label=f"embedded:{name}",
        grammar=compact_json_grammar,
        settles="silent",
    )


def compact_json_grammar(schema: Mapping[str, Any]) -> str:
    """The grammar of JSON without blanks for `schema`, for llama.cpp built with llguidance.

    A third fewer tokens are written than with blanks and line breaks allowed.
    """
    compact = {**schema, "x-guidance": {"whitespace_flexible": False}}
    return "%llguidance {}\nstart: %json " + json.dumps(compact, ensure_ascii=False)
