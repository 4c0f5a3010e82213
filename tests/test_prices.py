"""Prices by model and endpoint, costs, budgets; the file's form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.model.local_model import silent_endpoint
from pipeline.model.prices import FREE, Price, PriceList, Rates, load_prices, parse_budget

OPENAI = "https://api.openai.com/v1"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai/"
NOVEMBER = dt.date(2026, 11, 30)


@pytest.fixture(scope="module")
def shipped() -> PriceList:
    return load_prices()


def priced(prices: PriceList, model: str, base_url: str, on: dt.date = NOVEMBER) -> Price:
    price = prices.find(model, base_url, on)
    assert price is not None, f"{model} at {base_url} has no price"
    return price


# model, endpoint, dollars for a million tokens read, read from the cache, written
KNOWN = [
    ("gpt-5-mini", OPENAI, 0.25, 0.025, 2.00),
    ("gpt-5-mini-2025-08-07", OPENAI, 0.25, 0.025, 2.00),
    ("GPT-5-Nano", OPENAI, 0.05, 0.005, 0.40),
    # What the cache did not hold is written to it, at 1.25 times the price of input.
    ("gpt-6-luna", OPENAI, 0.125, 0.01, 0.50),
    ("deepseek-flash", "https://api.deepseek.com", 0.30, 0.006, 1.20),
    ("deepseek-v4-flash", "https://api.deepseek.com/v1", 0.30, 0.006, 1.20),
    ("qwen3.8-flash", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", 0.15, 0.016, 0.47),
    ("glm-5.3-flash", "https://api.z.ai/api/paas/v4", 0.15, 0.03, 0.50),
    # Stated as 0.80, 0.23 and 2.80 CNY.
    ("GLM-5.3-Flash", "https://open.bigmodel.cn/api/paas/v4", 0.1104, 0.03174, 0.3864),
    ("kimi-k2.6", "https://api.moonshot.ai/v1", 0.95, 0.16, 4.00),
    ("models/gemini-3.8-flash", GEMINI, 0.75, 0.075, 3.75),
    ("mistral-small-latest", "https://api.mistral.ai/v1", 0.15, 0.015, 0.60),
]


@pytest.mark.parametrize(("model", "base_url", "read", "cached", "written"), KNOWN)
def test_shipped_prices(
    shipped: PriceList, model: str, base_url: str, read: float, cached: float, written: float
) -> None:
    price = priced(shipped, model, base_url)
    assert price.cost_usd(1_000_000, 0, 0) == pytest.approx(read)
    assert price.cost_usd(1_000_000, 1_000_000, 0) == pytest.approx(cached)
    assert price.cost_usd(0, 0, 1_000_000) == pytest.approx(written)


UNKNOWN = [
    ("another model", "gpt-5", OPENAI),
    ("another model whose name begins the same", "gpt-5-mini-turbo", OPENAI),
    ("no date behind the name", "gpt-5-mini-2025", OPENAI),
    ("another seller of the same model", "gpt-5-mini", "https://openrouter.ai/api/v1"),
    ("a host that only ends the same", "gpt-5-mini", "https://not-api.openai.com/v1"),
    ("mainland China, in CNY that are not known", "qwen3.8-flash", "https://dashscope.aliyuncs.com/v1"),
    ("an embedded model's name somewhere else", "qwen2.5-coder-1.5b", "https://example.org/v1"),
    ("neither address nor embedded", "gpt-5-mini", None),
]


@pytest.mark.parametrize(("case", "model", "base_url"), UNKNOWN, ids=[case for case, *_ in UNKNOWN])
def test_unknown_is_not_free(shipped: PriceList, case: str, model: str, base_url: str | None) -> None:
    assert shipped.find(model, base_url) is None, case


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("qwen2.5-coder-0.5b", None),
        ("qwen2.5-coder-1.5b", silent_endpoint("qwen2.5-coder-1.5b").base_url),
        ("gpt-5-mini", "http://localhost:8000/v1"),
        ("any/model", "http://127.0.0.1:8080/v1"),
        ("any/model", "http://[::1]:8080/v1"),
    ],
)
def test_this_machine_is_free(shipped: PriceList, model: str, base_url: str | None) -> None:
    assert shipped.find(model, base_url) is FREE
    assert FREE.cost_usd(10**9, 0, 10**9) == FREE.cost_usd(10**9, 0, 10**9, batch=True) == 0


def test_the_row_of_the_day_holds(shipped: PriceList) -> None:
    def written(day: dt.date) -> float:
        return priced(shipped, "gemini-3.8-flash", GEMINI, day).cost_usd(0, 0, 1_000_000)

    assert written(dt.date(2026, 12, 31)) == pytest.approx(3.75)
    assert written(dt.date(2027, 1, 1)) == pytest.approx(7.50)


# tokens read, of them cached, written, by batch; dollars by hand at 0.25, 0.025 and 2.00
COSTS = [
    (0, 0, 0, False, 0.0),
    (5_000, 0, 40, False, 0.00125 + 0.00008),
    (5_000, 4_000, 40, False, 0.00025 + 0.0001 + 0.00008),
    (5_000, 4_000, 40, True, 0.000215),
    # A server that counts more as cached than as read.
    (4_000, 4_213, 0, False, 0.0001),
]


@pytest.mark.parametrize(("read", "cached", "written", "batch", "dollars"), COSTS)
def test_cost(shipped: PriceList, read: int, cached: int, written: int, batch: bool, dollars: float) -> None:
    price = priced(shipped, "gpt-5-mini", OPENAI)
    assert price.cost_usd(read, cached, written, batch=batch) == pytest.approx(dollars)


# batch at half price; cached input at full price; not known, so as without
BATCHES = [
    ("gpt-5-mini", OPENAI, 0.125, 0.0125),
    ("gpt-4.1-mini", OPENAI, 0.20, 0.10),
    ("kimi-k2.6", "https://api.moonshot.ai/v1", 0.95, 0.16),
]


@pytest.mark.parametrize(("model", "base_url", "read", "cached"), BATCHES)
def test_batch(shipped: PriceList, model: str, base_url: str, read: float, cached: float) -> None:
    price = priced(shipped, model, base_url)
    assert price.cost_usd(1_000_000, 0, 0, batch=True) == pytest.approx(read)
    assert price.cost_usd(1_000_000, 1_000_000, 0, batch=True) == pytest.approx(cached)
    assert (price.batch is None) == model.startswith("kimi")


def test_every_shipped_price_says_since_when_and_by_whom(shipped: PriceList) -> None:
    rows = [entry.price for file in shipped.files for entry in file]
    assert len(rows) == len(shipped) >= 15
    for price in rows:
        assert price.as_of is not None
        assert dt.date(2026, 1, 1) <= price.as_of <= NOVEMBER, price
        assert price.source, price
        assert price.rates.cached_input <= price.rates.input <= price.rates.output, price


ROW = """
prices:
  - model: mymodel
    aliases: ["mymodel-*b"]
    hosts: ["*.example.org"]
    per_million: {input: 2, output: 4}
    as_of: 2026-11-30
    source: our contract
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my_prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_file_goes_before(tmp_path: Path) -> None:
    own = ROW.replace("mymodel\n", "gpt-5-mini\n").replace("*.example.org", "api.openai.com")
    prices = load_prices(write(tmp_path, own))
    assert priced(prices, "gpt-5-mini", OPENAI).source == "our contract"
    assert priced(prices, "gpt-5-mini-2025-08-07", OPENAI).source == "our contract"
    assert priced(prices, "gpt-5-nano", OPENAI).source.startswith("OpenAI price page")


def test_patterns(tmp_path: Path) -> None:
    prices = load_prices(write(tmp_path, ROW))
    for model in ("mymodel", "MyModel-7B", "mymodel-20261130", "mymodel-2026-11-30"):
        assert priced(prices, model, "https://llm.Example.org/v1").source == "our contract", model
    assert prices.find("mymodel-7c", "https://llm.example.org/v1") is None
    assert prices.find("mymodel", "https://example.org/v1") is None


def test_cached_input_without_a_price_costs_as_input(tmp_path: Path) -> None:
    price = priced(load_prices(write(tmp_path, ROW)), "mymodel", "https://llm.example.org/v1")
    assert price.cost_usd(1_000_000, 500_000, 0) == pytest.approx(2)


BROKEN = [
    ("no YAML", "prices: [", "is no YAML"),
    ("empty", "", "the file: "),
    ("no list", "prices: 3", "prices: .* found 3"),
    (
        "a negative price",
        ROW.replace("input: 2", "input: -2"),
        r"row 1 \(mymodel\), per_million.input: .* -2",
    ),
    ("no number", ROW.replace("output: 4", "output: cheap"), r"per_million.output: .* 'cheap'"),
    ("not a number", ROW.replace("output: 4", "output: .nan"), r"per_million.output: .* nan"),
    ("an unknown key", ROW.replace("output: 4", "output: 4, image: 1"), r"per_million.image: .* found 1"),
    ("no output", ROW.replace(", output: 4", ""), r"row 1 \(mymodel\), per_million.output: Field required"),
    ("no day", ROW.replace("as_of: 2026-11-30", "as_of: soon"), r"as_of: .* 'soon'"),
    ("no model", ROW.replace("model: mymodel", "model: ''"), r"row 1 \(no model\), model: "),
    ("another currency", ROW + "    currency: EUR\n", r"currency: .* 'EUR'"),
    ("yuan without a rate", ROW + "    currency: CNY\n", "mymodel in CNY, but no usd_per_cny"),
    ("no host", ROW.replace('["*.example.org"]', "[]"), r"hosts: .* found \[\]"),
    ("a batch that costs more", ROW + "    batch: 2\n", r"batch"),
    ("twice", ROW + ROW.replace("\nprices:\n", ""), r"'mymodel' at \*.example.org stands there twice"),
]


@pytest.mark.parametrize(("case", "text", "says"), BROKEN, ids=[case for case, *_ in BROKEN])
def test_broken_files(tmp_path: Path, case: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        load_prices(write(tmp_path, text))
    assert "my_prices.yaml" in str(raised.value), case


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.yaml: No such file"):
        load_prices(tmp_path / "nothing.yaml")


BUDGETS = [
    ("20usd", 20.0),
    ("20 USD", 20.0),
    ("$20", 20.0),
    ("$ 0.50", 0.5),
    ("0.5usd", 0.5),
    (" 1.25 Usd ", 1.25),
]


@pytest.mark.parametrize(("text", "dollars"), BUDGETS)
def test_budget(text: str, dollars: float) -> None:
    assert parse_budget(text) == dollars


NO_BUDGETS = [
    "",
    "20",
    "usd",
    "20 CNY",
    "20元",
    "-5usd",
    "0usd",
    "$0.00",
    "1,000usd",
    "1e3usd",
    "$20usd",
    "２０usd",
]


@pytest.mark.parametrize("text", NO_BUDGETS)
def test_no_budget(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_budget(text)
    assert repr(text) in str(raised.value)
    assert "20usd" in str(raised.value)


LUNA = Price("luna", Rates(0.125, 0.01, 0.5), "made up", batch=Rates(0.0625, 0.005, 0.25))
TOKENS = st.integers(min_value=0, max_value=10**9)


@given(read=TOKENS, cached=TOKENS, written=TOKENS, more=TOKENS, batch=st.booleans())
def test_cost_never_falls_with_more_tokens(
    read: int, cached: int, written: int, more: int, batch: bool
) -> None:
    price = LUNA
    cost = price.cost_usd(read, cached, written, batch=batch)
    assert 0 <= cost <= price.cost_usd(read + more, cached, written, batch=batch)
    assert cost <= price.cost_usd(read, cached, written + more, batch=batch)
    assert cost <= price.cost_usd(read, 0, written, batch=batch)


def test_a_price_of_ones_own_counts_on_this_machine_too(tmp_path: Path) -> None:
    """There may be a proxy of a paid model behind it."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "prices:\n"
        "  - model: tiny\n    hosts: [127.0.0.1]\n    as_of: 2026-11-30\n    source: contract\n"
        "    per_million: {input: 1, cached_input: 0.5, output: 2}\n",
        encoding="utf-8",
    )
    price = load_prices(own).find("tiny", "http://127.0.0.1:8080/v1")
    assert price is not None
    assert price.cost_usd(1_000_000, 0, 0) == 1
    assert load_prices(own).find("other", "http://127.0.0.1:8080/v1") is FREE
