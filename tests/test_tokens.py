"""Token counts: exact with the embedded model's tokenizer, within a few percent by ratio."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ModelUnavailable
from pipeline.model.catalog import DEFAULT_MODEL
from pipeline.model.endpoint import Message
from pipeline.model.token_ratios import MEASURED, RATIOS, RatioCounter, class_counts
from pipeline.model.tokens import TokenCounter, token_counter
from pipeline.model.weights import pull_weights
from pipeline.prose.label import label_prompt

# Text and its tokens as llama.cpp's server counts them for Qwen2.5-Coder (/tokenize, special tokens read).
EXACT = [
    ("", 0),
    ("\n", 1),
    ("政府信息公开工作年度报告", 5),
    ("2023年，我局通过局网站发布信息312条。", 18),
    ("12345678901234", 14),  # every digit is a token
    ("０１２３４５", 6),
    ("①②③ⅣⅫ½", 11),
    ("　　　", 2),
    ("———……", 3),
    ("|-----|:---:|\n| 1 | 2 |", 14),
    ("𠮷野家𡈽", 4),  # rare characters outside the first plane
    ("é e\u0301 ñ", 5),  # composed and decomposed are not the same
    ("\t\t\tfoo   \n\n   bar   ", 7),
    ("It's we'll DON'T i'm", 8),
    ("한국어 テスト ภาษาไทย", 9),
    ("\ufffd\x00\x01", 3),
    ("<|im_start|>user\n你好<|im_end|>", 5),  # names of special tokens are these tokens
    ("<|im_start|", 5),
]

# The same server's counts of whole requests: template, messages, opening of the answer.
EXACT_REQUESTS: list[tuple[Sequence[Message], int]] = [
    # Without a system message the template puts in its own.
    ([Message("user", "你好")], 30),
    ([Message("system", "甲"), Message("user", "乙\n")], 16),
    ([Message("system", ""), Message("user", " a "), Message("assistant", "b"), Message("user", "c")], 27),
    ([Message("user", "<|im_end|>忽略")], 31),
]


@pytest.fixture(scope="module")
def embedded() -> TokenCounter:
    return token_counter(DEFAULT_MODEL, pull_weights(DEFAULT_MODEL))


@pytest.mark.model
@pytest.mark.parametrize(("text", "expected"), EXACT)
def test_embedded_tokenizer(embedded: TokenCounter, text: str, expected: int) -> None:
    assert embedded.count(text) == expected


@pytest.mark.model
@pytest.mark.parametrize(("messages", "expected"), EXACT_REQUESTS)
def test_embedded_requests(embedded: TokenCounter, messages: Sequence[Message], expected: int) -> None:
    assert embedded.count_messages(messages) == expected


@pytest.mark.model
def test_ratio_is_near_what_the_embedded_tokenizer_counts(embedded: TokenCounter) -> None:
    estimated = RatioCounter(RATIOS["qwen2.5"])
    messages = label_prompt().messages
    assert estimated.count_messages(messages) == pytest.approx(embedded.count_messages(messages), rel=0.05)
    assert (embedded.is_exact, embedded.source) == (True, "Qwen2.5-Coder tokenizer")


# A small made-up file. Merges: 甲 is its three bytes joined, then 甲甲; a+b.
JIA = "çĶ²"  # the characters that stand for the bytes of 甲
MERGES = ["ç Ķ", "çĶ ²", f"{JIA} {JIA}", "a b"]
TEMPLATE = (
    "{% for message in messages %}<|s|>{{ message.role }}\n{{ message.content }}<|e|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|s|>{% endif %}"
)


def packed(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def strings(items: Sequence[str]) -> bytes:
    return struct.pack("<IIQ", 9, 8, len(items)) + b"".join(map(packed, items))


def gguf(pre: str = "qwen2", template: str = TEMPLATE, version: int = 3) -> bytes:
    values = {
        "general.basename": struct.pack("<I", 8) + packed("Made-Up"),
        "made.up.number": struct.pack("<If", 6, 0.5),
        "tokenizer.ggml.model": struct.pack("<I", 8) + packed("gpt2"),
        "tokenizer.ggml.pre": struct.pack("<I", 8) + packed(pre),
        "tokenizer.ggml.tokens": strings(["a", "b", "ab", JIA, "<|s|>", "<|e|>", "[PAD]"]),
        "tokenizer.ggml.token_type": struct.pack("<IIQ7i", 9, 5, 7, 1, 1, 1, 1, 3, 3, 5),
        "tokenizer.ggml.merges": strings(MERGES),
        "tokenizer.chat_template": struct.pack("<I", 8) + packed(template),
    }
    body = b"".join(packed(key) + value for key, value in values.items())
    return struct.pack("<4sIQQ", b"GGUF", version, 0, len(values)) + body


@pytest.fixture
def made_up(tmp_path: Path) -> TokenCounter:
    return token_counter("any", written(tmp_path, gguf()))


def written(folder: Path, content: bytes) -> Path:
    path = folder / "made-up.gguf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("ab", 1),
        ("ba", 2),
        ("aab", 2),
        ("甲", 1),
        ("甲甲", 1),
        ("甲甲甲", 2),
        ("甲ab", 2),
        ("乙", 3),
        ("ab ab", 3),
        ("<|s|>ab<|e|>", 3),
        ("[PAD]", 5),
    ],
)
def test_merges_of_a_made_up_file(made_up: TokenCounter, text: str, expected: int) -> None:
    assert made_up.count(text) == expected


def test_letters_without_end_take_no_time(made_up: TokenCounter) -> None:
    """A damaged file may hold a run that nothing cuts: seconds, not hours."""
    assert made_up.count("ab" * 50_000) == 50_000


def test_template_of_a_made_up_file(made_up: TokenCounter) -> None:
    # <|s|> u s e r \n ab <|e|> \n, and <|s|> for the answer
    assert made_up.count_messages([Message("user", "ab")]) == 10
    assert made_up.count_messages([Message("user", "ab")] * 3) == 28


CUT_OFF = "no whole GGUF file"
BROKEN = [
    ("empty", b"", CUT_OFF),
    ("another format", b"PK\x03\x04" + bytes(40), "begins with b'PK"),
    ("cut off in a number", gguf()[:22], CUT_OFF),
    ("cut off in a text", gguf()[:-30], CUT_OFF),
    ("an old version", gguf(version=1), "version 1"),
    ("another tokenizer", gguf(pre="llama-bpe"), "'llama-bpe'"),
    ("a broken template", gguf(template="{% for %}"), "broken"),
    ("no template", gguf().replace(b"tokenizer.chat_template", b"tokenizer.chat_nothing!"), "lacks a part"),
]


@pytest.mark.parametrize(("case", "content", "says"), BROKEN, ids=[case for case, *_ in BROKEN])
def test_broken_files(tmp_path: Path, case: str, content: bytes, says: str) -> None:
    with pytest.raises(ModelUnavailable, match=says) as raised:
        token_counter("any", written(tmp_path, content))
    assert "made-up.gguf" in str(raised.value), case


def test_a_named_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="No such file"):
        token_counter(DEFAULT_MODEL, tmp_path / "nothing.gguf")


def test_embedded_model_without_weights_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_CACHE", str(tmp_path))
    monkeypatch.delenv("GONGKAI_MODEL_PATH", raising=False)
    counter = token_counter(DEFAULT_MODEL)
    assert (counter.is_exact, counter.source) == (False, f"measured ratio for qwen2.5, {MEASURED}")


# model, whose ratio, and whether its tokenizer is only assumed to be like that
FAMILIES = [
    ("gpt-5-mini", "o200k", False),
    ("gpt-4.1-mini-2025-04-14", "o200k", False),
    ("openai/gpt-oss-120b", "o200k", False),
    ("o4-mini", "o200k", False),
    ("gpt-6-luna", "o200k", True),
    ("deepseek-v4-pro", "deepseek", False),
    ("Qwen/Qwen3-8B", "qwen2.5", False),
    ("qwen2.5-72b-instruct", "qwen2.5", False),
    ("qwen3.6-27b", "qwen3.5", False),
    ("qwen3.8-flash", "qwen2.5", True),
    ("gemma-3-27b-it", "gemma3", False),
    ("models/gemini-3.8-flash", "gemma3", True),
    ("mistral-small-latest", "tekken", True),
    ("ministral-8b-2410", "tekken", False),
    ("glm-5.3", "o200k", True),
    ("kimi-k2.6", "o200k", True),
    ("nobody-knows-it", "tekken", True),
]


@pytest.mark.parametrize(("model", "ratio", "is_assumed"), FAMILIES)
def test_ratio_of_a_model(model: str, ratio: str, is_assumed: bool) -> None:
    counter = token_counter(model)
    assumed = f", assumed for {model}" if is_assumed else ""
    assert counter.source == f"measured ratio for {ratio}, {MEASURED}{assumed}"
    assert not counter.is_exact


@pytest.mark.parametrize(
    ("text", "han", "mark", "digit", "groups", "word", "space", "other"),
    [
        ("", 0, 0, 0, 0, 0, 0, 0),
        ("政府信息公开", 6, 0, 0, 0, 0, 0, 0),
        ("共1234条，无。", 3, 2, 4, 2, 0, 0, 0),
        ("《条例》（修订）——", 4, 6, 0, 0, 0, 0, 0),
        ('{"a_b":12}\n', 0, 0, 2, 1, 2, 1, 6),
        ("全角０１　", 2, 2, 0, 0, 0, 1, 0),
        ("〇①é\r\n", 1, 0, 0, 0, 0, 2, 2),
    ],
)
def test_classes_of_characters(
    text: str, han: int, mark: int, digit: int, groups: int, word: int, space: int, other: int
) -> None:
    assert class_counts(text) == (han, mark, digit, groups, word, space, other)


# What each tokenizer makes of the texts in gold/test, which the ratios were not fitted on.
GOLD_TEST_CHARACTERS = 21043
GOLD_TEST_TOKENS = {
    "o200k": 14_458,
    "deepseek": 12_386,
    "qwen2.5": 13_967,
    "gemma3": 15_380,
    "qwen3.5": 13_071,
    "tekken": 19_503,
}


@pytest.mark.parametrize(("ratio", "true"), GOLD_TEST_TOKENS.items())
def test_ratio_on_reports_that_it_was_not_fitted_on(ratio: str, true: int) -> None:
    folder = Path(__file__).parents[1] / "gold" / "test"
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.txt")))
    assert len(text) == GOLD_TEST_CHARACTERS, "the texts are others: measure GOLD_TEST_TOKENS anew"
    assert RatioCounter(RATIOS[ratio]).count(text) == pytest.approx(true, rel=0.05)


def test_messages_cost_more_than_their_contents() -> None:
    counter = token_counter("gpt-5-mini")
    one, two = Message("system", "政府信息公开"), Message("user", "共12条。")
    assert counter.count_messages([]) == 3
    assert counter.count_messages([one, two]) == pytest.approx(
        counter.count(one.content) + counter.count(two.content) + 2 * 4 + 3, abs=1
    )


@given(st.text(), st.text())
def test_ratio_counts_every_character(left: str, right: str) -> None:
    counter = RatioCounter(RATIOS["tekken"])
    assert counter.count(left + right) <= counter.count(left) + counter.count(right) + 1
    assert (counter.count(left) > 0) or len(left) < 2


def test_no_network(monkeypatch: pytest.MonkeyPatch, made_up: TokenCounter) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("counting opened a network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for counter in (made_up, token_counter(DEFAULT_MODEL), token_counter("gpt-5-mini")):
        assert counter.count_messages(label_prompt().messages) > 1000
