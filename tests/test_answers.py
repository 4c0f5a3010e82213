"""The store of answers: what tells two questions apart, threads, damage."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StartError
from pipeline.fact import Usage
from pipeline.model.answers import AnswerStore, Question, TokenLogprob

QUESTION = Question(
    messages=({"role": "system", "content": "例"}, {"role": "user", "content": "公开 78 条"}),
    prompt_sha256="0" * 64,
    schema={"properties": {"a": {}, "b": {}}},
    model="tiny",
    parameters={"temperature": 0, "max_tokens": 5},
    endpoint="embedded:tiny",
)
USAGE = Usage(requests=2, input_tokens=100, cached_tokens=60, output_tokens=9, seconds=1.5)

DIFFERENT: list[tuple[str, dict[str, Any]]] = [
    ("text", {"messages": (QUESTION.messages[0], {"role": "user", "content": "公开 79 条"})}),
    ("role", {"messages": (QUESTION.messages[0], {"role": "assistant", "content": "公开 78 条"})}),
    ("one message fewer", {"messages": QUESTION.messages[:1]}),
    ("prompt", {"prompt_sha256": "1" * 64}),
    ("schema", {"schema": {"properties": {"a": {}}}}),
    ("order of the schema", {"schema": {"properties": {"b": {}, "a": {}}}}),
    ("model", {"model": "small"}),
    ("parameter", {"parameters": {"temperature": 0, "max_tokens": 6}}),
    ("endpoint", {"endpoint": "api.example.org"}),
    ("repeat", {"repeat": 1}),
]


@pytest.mark.parametrize(("name", "change"), DIFFERENT, ids=[case[0] for case in DIFFERENT])
def test_key_depends_on(name: str, change: dict[str, Any]) -> None:
    assert replace(QUESTION, **change).key != QUESTION.key


def test_key_does_not_depend_on_the_order_of_parameters() -> None:
    assert replace(QUESTION, parameters={"max_tokens": 5, "temperature": 0}).key == QUESTION.key


def test_put_and_get(tmp_path: Path) -> None:
    logprobs = (TokenLogprob("政", -0.25, (("政", -0.25), ("微", -1.5))), TokenLogprob("府", 0.0))
    with AnswerStore(tmp_path / "run" / "answers.sqlite") as store:
        assert store.get(QUESTION.key) is None
        store.put(QUESTION, '{"a": "政府"}', USAGE, logprobs)
    with AnswerStore(tmp_path / "run" / "answers.sqlite") as store:
        stored = store.get(QUESTION.key)
    assert stored is not None
    assert (stored.content, stored.usage, stored.logprobs) == ('{"a": "政府"}', USAGE, logprobs)
    assert stored.created.endswith("+00:00")


def test_threads(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:

        def work(number: int) -> None:
            for repeat in range(20):
                question = replace(QUESTION, repeat=100 * number + repeat)
                store.put(question, str(repeat), USAGE)
                assert store.get(question.key) is not None

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store) == 80


def test_two_stores_on_one_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as one, AnswerStore(path) as other:
        one.put(QUESTION, "1", USAGE)
        stored = other.get(QUESTION.key)
        assert stored is not None
        assert stored.content == "1"


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database at all, only text" * 100)
    with pytest.raises(StartError, match=r"answers\.sqlite is damaged.*move it away"):
        AnswerStore(path)


def test_a_store_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as store:
        for repeat in range(200):
            store.put(replace(QUESTION, repeat=repeat), "x" * 500, USAGE)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StartError, match="damaged"), AnswerStore(path) as store:
        store.get(QUESTION.key)


def test_another_format(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as store:
        store._connection.execute("PRAGMA user_version=99")
    with pytest.raises(StartError, match="format 99"):
        AnswerStore(path)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot make the folder"):
        AnswerStore(tmp_path / "file" / "answers.sqlite")
