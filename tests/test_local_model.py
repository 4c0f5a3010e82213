"""The embedded model: its server's life, its saved prefix, and one small question to the real one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from steps_material import asking

from pipeline.errors import ModelUnavailable
from pipeline.model import local_model, weights
from pipeline.model.answers import AnswerStore
from pipeline.model.catalog import MODELS
from pipeline.model.endpoint import Message
from pipeline.model.local_model import LocalModel, compact_json_grammar
from pipeline.model.prefix_state import PrefixStates
from pipeline.model.question import Answer, Prefix, Question
from pipeline.model.weights import find_weights, pull_weights
from pipeline.prose.label import LabelForm

SMALL = "qwen2.5-coder-0.5b"
EXAMPLES = (
    Message("system", "给数字贴标签：政府网站、微博。"),
    Message("user", "网站公开12条，微博3条\n1:12条 2:3条"),
    Message("assistant", '{"1:12条":"政府网站","2:3条":"微博"}'),
)

# Stands in for model_server.py: speaks the same lines, keeps states as files.
FAKE_SERVER = """
import http.server, json, os, pathlib, sys, threading
config = json.loads(sys.stdin.readline())
folder = pathlib.Path(config["prefix_folder"])
pathlib.Path(config["weights"]).with_suffix(".config").write_text(json.dumps(config | {"argv": sys.argv}))
{before}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(folder / "calls.log", "a") as log:
            print(self.path, file=log)
        if self.path == "/apply-template":
            reply = {"prompt": "".join(f"<{m['role']}>{m['content']}" for m in body["messages"])}
        elif self.path.endswith("save"):
            (folder / body["filename"]).write_bytes(b"state" * 10)
            reply = {"n_saved": 42}
        elif self.path.endswith("restore"):
            reply = {"n_restored": len((folder / body["filename"]).read_bytes())}
        else:
            reply = {"tokens_evaluated": 42, "prompt": body.get("prompt")}
        data = json.dumps(reply).encode()
        self.send_response(200 if self.headers["Authorization"] == "Bearer " + config["api_key"] else 401)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *_):
        pass
http.server.HTTPServer.allow_reuse_address = True
server = http.server.HTTPServer(("127.0.0.1", config["port"]), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"address": f"http://127.0.0.1:{server.server_address[1]}", "version": "1"}), flush=True)
sys.stdin.read()
"""
MakeModel = Callable[..., LocalModel]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeModel:
    """A LocalModel whose server and weights are fakes; `before` is run by the server at its start."""
    content = b"weights"
    tiny = replace(MODELS[SMALL], size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(weights, "MODELS", {SMALL: tiny})
    monkeypatch.setenv("GONGKAI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tiny.gguf").write_bytes(content)

    def make(before: str = "", **options: Any) -> LocalModel:
        script = tmp_path / "server.py"
        script.write_text(FAKE_SERVER.replace("{before}", before))
        monkeypatch.setattr(local_model, "_SERVER_SCRIPT", script)
        return LocalModel(SMALL, path=tmp_path / "tiny.gguf", **options)

    return make


def pid(running: LocalModel) -> int:
    process = running._process
    assert process is not None
    return process.pid


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "cache" / "prefix" / "calls.log").read_text().split()


def test_starts_tells_its_progress_and_stops(model: MakeModel) -> None:
    seen: list[str] = []
    with model(progress=lambda done, total, what: seen.append(what)) as running:
        assert running.endpoint.label == f"embedded:{SMALL}"
        assert running.endpoint.is_loopback
        process = running._process
    assert process is not None
    assert process.poll() == 0
    assert not running.log_path.exists()
    assert any(what.startswith("loading") for what in seen)
    assert seen[-1].endswith("is ready")


def test_key_is_random_and_not_on_the_command_line(model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        key = running.endpoint.api_key.get_secret_value()
        config = json.loads((tmp_path / "tiny.config").read_text())
    assert config["api_key"] == key
    assert key not in " ".join(config["argv"])
    assert key not in repr(running.endpoint)
    with model() as other:
        assert other.endpoint.api_key.get_secret_value() != key


def test_prefix_is_saved_and_restored_at_the_next_start(model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        first = running.warm_prefix(EXAMPLES)
    with model() as running:
        again = running.warm_prefix(EXAMPLES)
        other = running.warm_prefix(EXAMPLES[:1])
    assert (first.is_restored, again.is_restored, other.is_restored) == (False, True, False)
    assert calls(tmp_path).count("/completion") == 2


@pytest.mark.parametrize("damage", [b"", b"state", None], ids=["empty", "cut off", "gone"])
def test_a_broken_state_is_read_anew(damage: bytes | None, model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        running.warm_prefix(EXAMPLES)
        (state,) = (tmp_path / "cache" / "prefix").glob("*.state")
        state.unlink() if damage is None else state.write_bytes(damage)
        assert not running.warm_prefix(EXAMPLES).is_restored
        assert running.warm_prefix(EXAMPLES).is_restored


def test_states_of_other_models_and_versions_are_not_mixed_up(model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        running.warm_prefix(EXAMPLES)
        address, key = running._address, running.endpoint.api_key.get_secret_value()
        newer = PrefixStates(address, key, tmp_path / "cache" / "prefix", "weights version 2")
        assert not newer.warm(EXAMPLES).is_restored


def test_old_states_are_thrown_away(model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        for number in range(9):
            running.warm_prefix((Message("system", f"prompt {number}"),))
    assert len(list((tmp_path / "cache" / "prefix").glob("*.state"))) == 6
    assert len(list((tmp_path / "cache" / "prefix").glob("*.sha256"))) == 6


def test_prefix_ends_where_the_next_user_message_begins(model: MakeModel) -> None:
    with model() as running:
        states = running._states
        assert states is not None
        assert states._prefix_text(EXAMPLES).endswith(f"{EXAMPLES[-1].content}<user>")


def test_restarts_once_at_the_same_address_with_its_prefix(model: MakeModel, tmp_path: Path) -> None:
    with model() as running:
        running.warm_prefix(EXAMPLES)
        endpoint, first = running.endpoint, pid(running)
        os.kill(first, signal.SIGKILL)
        running.revive()
        assert pid(running) != first
        assert running.endpoint == endpoint
        assert calls(tmp_path)[-1].endswith("restore")
        running.revive()
        os.kill(pid(running), signal.SIGKILL)
        with pytest.raises(ModelUnavailable, match=r"died again.*\.log"):
            running.revive()


def test_a_server_that_does_not_come_up_shows_its_log(model: MakeModel) -> None:
    with pytest.raises(ModelUnavailable, match=r"did not come up.*\.log.*no memory for this model"):
        model("sys.exit('no memory for this model')").__enter__()


def test_a_server_that_is_silent(model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "_START_SECONDS", 0.5)
    monkeypatch.setattr(local_model, "_STOP_SECONDS", 0.5)
    running = model("import time; time.sleep(60)")
    with pytest.raises(ModelUnavailable, match="not ready after"):
        running.__enter__()
    assert running._process is None


def test_no_python_to_start(model: MakeModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(ModelUnavailable, match="cannot be started"):
        model().__enter__()


def test_not_running(model: MakeModel) -> None:
    with pytest.raises(ModelUnavailable, match="not running"):
        model().warm_prefix(EXAMPLES)


def test_grammar_keeps_the_schema_and_forbids_blanks() -> None:
    grammar = compact_json_grammar({"properties": {"1:78条": {"enum": ["甲"]}}})
    assert grammar.startswith("%llguidance")
    schema = json.loads(grammar.split("%json ")[1])
    assert schema == {
        "properties": {"1:78条": {"enum": ["甲"]}},
        "x-guidance": {"whitespace_flexible": False},
    }


@pytest.fixture(scope="module")
def real_model() -> Iterator[LocalModel]:
    """The smaller real model."""
    try:
        pull_weights(SMALL)
        find_weights(SMALL)
    except ModelUnavailable as error:
        pytest.skip(f"no weights of {SMALL}: {error}")
    with LocalModel(SMALL) as running:
        yield running


@pytest.mark.model
def test_real_model_answers_compactly_with_its_prefix_cached(real_model: LocalModel, tmp_path: Path) -> None:
    labels = ("政府网站", "微博")
    question = Question(
        messages=(Message("user", "网站公开78条，微博5条\n1:78条 2:5条"),),
        form=LabelForm((("1:78条", labels), ("2:5条", labels))),
        prompt_sha256="0" * 64,
        max_tokens=60,
        prefix=Prefix(EXAMPLES),
        logprobs=True,
    )
    warmth = real_model.warm_prefix(EXAMPLES)
    with AnswerStore(tmp_path / "a.sqlite") as store, asking(real_model.endpoint, store) as ask:
        (answer,) = ask([question])
    assert isinstance(answer, Answer)
    assert warmth.tokens <= answer.usage.cached_tokens < answer.usage.input_tokens
    assert " " not in answer.content
    assert list(json.loads(answer.content)) == ["1:78条", "2:5条"]
    assert answer.logprobs is not None
    assert "".join(item.token for item in answer.logprobs) == answer.content


@pytest.mark.model
def test_real_prefix_comes_back_from_disk(real_model: LocalModel) -> None:
    first = real_model.warm_prefix(EXAMPLES)
    again = real_model.warm_prefix(EXAMPLES)
    assert again.is_restored
    assert again.tokens == first.tokens
