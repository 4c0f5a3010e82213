"""The fake OpenAI-compatible server as a process of its own, for benchmarks and for tests that kill.

    python tests/fake_server.py --port 0 --latency-ms 30 --faults 0.3 --seed 1 --log requests.jsonl

prints its base URL as the first line and serves until it is terminated. GET /__stats tells:

requests        all that came in, whole, of every endpoint
answered        by kind: "ok", a fault, "limit_inflight", "rpm" or a status
dropped         the client hung up before the answer was out, by the kind that it would have been
batch_lines     lines of batches answered, by kind
in_flight       completions being worked on; peak_in_flight the most at a time, refused ones included
tokens          input, cached, output: the sum of the usage in answers that a client could read
questions       by `question_id`: received, ok (right answers, whatever their usage), kinds (of all
                answers); lines of batches count too

The log has a JSON line for each "arrived", "answered", "dropped" (same `number`) and "batch_line".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from fake_openai import serve
from fake_replies import RANDOM_FAULTS, Behaviour, Place
from fake_service import FakeServer

_HELP = {
    "latency_ms": "before each answer",
    "jitter": "share by which the latency varies to both sides",
    "faults": "share of requests that fail",
    "kinds": f"faults to draw from, with commas: {', '.join(RANDOM_FAULTS)}",
    "max_faults": "most faults that one question suffers, so that a run can end without a loss; 0: no cap",
    "fault_places": "endpoints that fail, with commas: chat, files, batches",
    "seed": "of all that is drawn",
    "retry_after_seconds": "what 429 and 503 ask for",
    "stall_seconds": "longest stall",
    "limit_inflight": "429 above this many completions at a time",
    "rpm": "429 above this many completions a minute",
    "batch_seconds": "from the making of a batch to its end",
    "batch_faults": "share of batch lines that fail or have a bad answer",
    "failing_batches": "the first batches fail in validation: too many tokens enqueued",
    "expiring_batches": "the next batches expire",
    "expired_share": "share of lines that an expired batch has answered",
    "state": "folder for files and batches, which then outlive the process",
    "log": "file to which a line per arrival and answer is added",
}


@dataclass
class ServerProcess:
    """A server process. `base_url` stays the same over restarts."""

    options: dict[str, Any]
    process: subprocess.Popen[str]
    base_url: str

    @property
    def root(self) -> str:
        """The base URL without /v1."""
        return self.base_url.removesuffix("/v1")

    def stats(self) -> dict[str, Any]:
        """What /__stats says."""
        with urllib.request.urlopen(f"{self.root}/__stats", timeout=10) as response:
            stats: dict[str, Any] = json.load(response)
        return stats

    def events(self) -> list[dict[str, Any]]:
        """The log so far."""
        lines = Path(self.options["log"]).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order (SIGTERM)."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start it anew at the same address with the same options; kill or stop it before."""
        port = int(self.root.rpartition(":")[2])
        self.process, self.base_url = _started({**self.options, "port": port})

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        _wait(self.process)


@contextmanager
def fake_server_process(**options: Any) -> Iterator[ServerProcess]:
    """A server process with these options of the command line: `latency_ms=30, log=path`."""
    server = ServerProcess(options, *_started(options))
    try:
        yield server
    finally:
        server.stop()


def _started(options: dict[str, Any]) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, str(Path(__file__)), "--until-stdin-closes"]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", _argument(value)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"the fake server did not start: exit {_wait(process)}, {' '.join(command)}")
    return process, line.strip()


def _wait(process: subprocess.Popen[str]) -> int:
    """Its exit code; the pipes to it are closed."""
    try:
        return process.wait(timeout=10)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _argument(value: Any) -> str:
    return ",".join(value) if isinstance(value, (list, tuple, set, frozenset)) else str(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that started it"
    )
    for option in fields(Behaviour):
        if option.name in _HELP:
            flag = f"--{option.name.replace('_', '-')}"
            kind = {"int": int, "float": float}.get(str(option.type), str)
            default = option.default if kind is not str else None
            parser.add_argument(flag, type=kind, default=default, help=_HELP[option.name].replace("%", "%%"))
    return parser


def behaviour_of(arguments: Sequence[str] | None = None) -> tuple[Behaviour, argparse.Namespace]:
    """What the command line asks for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    given = {name: value for name in _HELP if (value := getattr(asked, name)) is not None}
    for name, allowed in (("kinds", RANDOM_FAULTS), ("fault_places", get_args(Place))):
        if name in given:
            given[name] = tuple(given[name].split(","))
            if unknown := set(given[name]) - set(allowed):
                parser.error(
                    f"--{name.replace('_', '-')}: unknown {sorted(unknown)}; allowed: {', '.join(allowed)}"
                )
    for name, made in (("state", Path), ("log", Path), ("fault_places", frozenset)):
        if name in given:
            given[name] = made(given[name])
    return Behaviour(**given, keep_requests=False), asked


async def _run(behaviour: Behaviour, port: int, until_stdin_closes: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for how in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(how, stop.set)
    if until_stdin_closes:
        loop.add_reader(0, lambda: None if os.read(0, 64) else stop.set())
    fake = FakeServer("", [])
    await serve(fake, behaviour, ready=lambda: print(fake.base_url, flush=True), until=stop.wait, port=port)


def main() -> None:
    """Serve as the command line says."""
    behaviour, asked = behaviour_of()
    asyncio.run(_run(behaviour, asked.port, asked.until_stdin_closes))


if __name__ == "__main__":
    main()
