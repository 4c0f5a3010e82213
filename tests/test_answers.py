"""The store of answers: what tells two questions apart, threads, older formats, damage."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_material import PREFIX, Total
from pydantic import BaseModel, create_model

from pipeline.errors import StartError
from pipeline.fact import Usage
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Message
from pipeline.model.question import Asked, ModelForm, Prefix, Question, TokenLogprob

TWO = ModelForm(create_model("Two", a=(int, ...), b=(int, ...)))
QUESTION = Question(
    messages=(Message("system", "例"), Message("user", "公开 78 条")),
    form=TWO,
    prompt_sha256="0" * 64,
    max_tokens=5,
)
ASKED = Asked(QUESTION, "tiny", "embedded:tiny", {"temperature": 0, "max_tokens": 5})
USAGE = Usage(requests=2, input_tokens=100, cached_tokens=60, output_tokens=9, seconds=1.5, cost_usd=0.25)


def asked(repeat: int = 0, **change: Any) -> Asked:
    return replace(ASKED, question=replace(QUESTION, repeat=repeat, **change))


DIFFERENT: list[tuple[str, Asked]] = [
    ("text", asked(messages=(QUESTION.messages[0], Message("user", "公开 79 条")))),
    ("role", asked(messages=(QUESTION.messages[0], Message("assistant", "公开 78 条")))),
    ("one message fewer", asked(messages=QUESTION.messages[:1])),
    ("half a character", asked(messages=(QUESTION.messages[0], Message("user", "公开 78 条\ud800")))),
    ("shared messages", asked(prefix=PREFIX)),
    ("prompt", asked(prompt_sha256="1" * 64)),
    ("schema", asked(form=ModelForm(create_model("Two", a=(int, ...))))),
    ("order of the schema", asked(form=ModelForm(create_model("Two", b=(int, ...), a=(int, ...))))),
    ("model", replace(ASKED, model="small")),
    ("parameter", replace(ASKED, parameters={"temperature": 0, "max_tokens": 6})),
    ("endpoint", replace(ASKED, endpoint="api.example.org")),
    ("repeat", asked(repeat=1)),
]


@pytest.mark.parametrize(("name", "other"), DIFFERENT, ids=[case[0] for case in DIFFERENT])
def test_key_depends_on(name: str, other: Asked) -> None:
    assert other.key != ASKED.key


def test_key_does_not_depend_on_the_order_of_parameters() -> None:
    assert replace(ASKED, parameters={"max_tokens": 5, "temperature": 0}).key == ASKED.key


def test_key_does_not_depend_on_which_messages_are_shared() -> None:
    shared = asked(prefix=Prefix(QUESTION.messages[:1]), messages=QUESTION.messages[1:])
    assert shared.key == ASKED.key


def key_of_all_parts(asked: Asked) -> str:
    """The key as runs before had it: stores of those must still fit."""
    question = asked.question
    parts = [
        [[message.role, message.content] for message in (*question.prefix.messages, *question.messages)],
        question.prompt_sha256,
        json.loads(question.form.schema_json),
        asked.model,
        sorted(asked.parameters.items()),
        asked.endpoint,
        question.repeat,
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8")).hexdigest()


TEXTS = st.text(max_size=12)
MESSAGE = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXTS)
TYPES: list[type[BaseModel]] = [Total, create_model("标签", 甲=(str, '"'), 乙=(int, ...))]


@settings(max_examples=60, deadline=None)
@given(
    prefix=st.lists(MESSAGE, max_size=3),
    own=st.lists(MESSAGE, min_size=1, max_size=3),
    answer_type=st.sampled_from(TYPES),
    names=st.tuples(TEXTS, TEXTS, TEXTS),
    repeat=st.integers(0, 3),
    parameters=st.dictionaries(TEXTS, st.one_of(st.integers(), st.booleans(), TEXTS), max_size=4),
)
def test_key_is_what_it_always_was(
    prefix: list[Message],
    own: list[Message],
    answer_type: type[BaseModel],
    names: tuple[str, str, str],
    repeat: int,
    parameters: dict[str, Any],
) -> None:
    prompt, model, endpoint = names
    question = Question(
        tuple(own), ModelForm(answer_type), prompt, 5, prefix=Prefix(tuple(prefix)), repeat=repeat
    )
    asked = Asked(question, model, endpoint, parameters)
    assert asked.key == key_of_all_parts(asked)


def test_put_and_get(tmp_path: Path) -> None:
    logprobs = (TokenLogprob("政", -0.25, (("政", -0.25), ("微", -1.5))), TokenLogprob("府", 0.0))
    with AnswerStore(tmp_path / "run" / "answers.sqlite") as store:
        assert store.get(ASKED.key) is None
        store.put(ASKED, '{"a": "政府"}', USAGE, logprobs)
    with AnswerStore(tmp_path / "run" / "answers.sqlite") as store:
        stored = store.get(ASKED.key)
    assert stored is not None
    assert (stored.content, stored.usage, stored.logprobs) == ('{"a": "政府"}', USAGE, logprobs)
    assert stored.created.endswith("+00:00")


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_texts_are_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as store:
        for repeat in range(3):
            store.put(asked(repeat, prefix=PREFIX), "1", USAGE)
        broken = Prefix((Message("system", "例\udfff"),))
        store.put(asked(messages=(Message("user", "另\ud800"),), prefix=broken), "1", USAGE)
    joined = "SELECT texts.content FROM texts JOIN answers ON sha256 = {} GROUP BY sha256"
    assert {row[0] for row in rows(path, joined.format("text_sha256"))} == {"例\n公开 78 条", "另?"}
    shared = [json.loads(row[0]) for row in rows(path, joined.format("prefix_sha256"))]
    assert len(shared) == 2
    assert [message.as_dict() for message in PREFIX.messages] in shared
    assert [{"role": "system", "content": "例?"}] in shared


def test_put_without_commit_is_on_disk_with_the_next_commit(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as store:
        store.put(ASKED, "1", USAGE, commit=False)
        assert rows(path, "SELECT key FROM answers") == []
        store.commit()
        assert rows(path, "SELECT key FROM answers") == [(ASKED.key,)]


def test_threads(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:

        def work(number: int) -> None:
            for repeat in range(20):
                one = asked(100 * number + repeat)
                store.put(one, str(repeat), USAGE)
                assert store.get(one.key) is not None

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store) == 80


def test_two_stores_on_one_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as one, AnswerStore(path) as other:
        one.put(ASKED, "1", USAGE)
        stored = other.get(ASKED.key)
        assert stored is not None
        assert stored.content == "1"


def make_format_1(path: Path) -> None:
    """A store as it was before texts were kept in it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE answers (key TEXT PRIMARY KEY, content TEXT NOT NULL, usage TEXT NOT NULL, "
            "logprobs TEXT, model TEXT NOT NULL, endpoint TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, "
            "created TEXT NOT NULL) WITHOUT ROWID"
        )
        usage = '{"requests":1,"input_tokens":9,"cached_tokens":0,"output_tokens":2,"seconds":0.5}'
        row = (key_of_all_parts(ASKED), "old", usage, None, "tiny", "embedded:tiny", "0" * 64, "2026")
        connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("PRAGMA user_version=1")


def test_a_store_of_format_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    make_format_1(path)
    for _ in range(2):
        with AnswerStore(path) as store:
            stored = store.get(ASKED.key)
            assert stored is not None
            assert (stored.content, stored.usage.input_tokens, stored.usage.cost_usd) == ("old", 9, None)
            store.put(asked(repeat=1), "new", USAGE)
    assert rows(path, "PRAGMA user_version") == [(2,)]
    assert len(rows(path, "SELECT prefix_sha256, text_sha256 FROM answers")) == 2


def test_two_processes_bring_a_store_up_to_date_at_once(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    make_format_1(path)
    failed: list[Exception] = []

    def open_it() -> None:
        try:
            AnswerStore(path).close()
        except StartError as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "answers.sqlite"
    make_format_1(path)
    half = ("ALTER TABLE answers ADD COLUMN prefix_sha256 TEXT", "ALTER TABLE nothing ADD COLUMN a TEXT")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.model.answers._SINCE_2", half)
        with pytest.raises(StartError, match="cannot be used"):
            AnswerStore(path)
    with AnswerStore(path) as store:
        assert store.get(ASKED.key) is not None


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database at all, only text" * 100)
    with pytest.raises(StartError, match=r"answers\.sqlite is damaged.*move it away"):
        AnswerStore(path)


def test_another_ones_database(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE answers (name TEXT)")
    with pytest.raises(StartError, match=r"answers\.sqlite cannot be used: no such column"):
        AnswerStore(path)


def test_a_store_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with AnswerStore(path) as store:
        for repeat in range(200):
            store.put(asked(repeat), "x" * 500, USAGE)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StartError, match="damaged"), AnswerStore(path) as store:
        store.get(ASKED.key)


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


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        store._connection.execute("PRAGMA max_page_count=8")
        with pytest.raises(StartError, match=r"answers\.sqlite cannot be used: .*full"):
            store.put(ASKED, "x" * 50_000, USAGE)
        assert store.get(ASKED.key) is None
