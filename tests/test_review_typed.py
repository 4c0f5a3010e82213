"""What people type for a figure, and what a print proposes."""

from __future__ import annotations

import pytest

from evals.review.typed import CHOICE_NAMES, TypedWrong, choices_of, name_of, proposed, read_typed, shown
from evals.review.words import words
from pipeline.fact import Evidence, Fact

COUNT, CHANGE, YEAR = "requests.granted.total", "proactive.licensing.items_change", "meta.year"
YUAN, WAN_YUAN = "fees.charged_yuan", "capacity.budget_wan_yuan"

RIGHT = [
    (COUNT, "12", 12, "value", "exact"),
    (COUNT, " 1,234 ", 1234, "value", "exact"),
    (COUNT, "１，２３４", 1234, "value", "exact"),
    (COUNT, "六百二十", 620, "value", "exact"),
    (COUNT, "4200余", 4200, "value", "at_least"),
    (COUNT, "近百", 100, "value", "at_most"),
    (COUNT, "≥4200", 4200, "value", "at_least"),
    (COUNT, "<= 30", 30, "value", "at_most"),
    (COUNT, "3.2万", 32000, "value", "exact"),
    (COUNT, "_", None, "blank", "exact"),
    (COUNT, "／", None, "not_applicable", "exact"),
    (COUNT, "—", None, "not_applicable", "exact"),
    (COUNT, "？", None, "illegible", "exact"),
    (COUNT, "无", 0, "zero_in_words", "exact"),
    (CHANGE, "-17", -17, "value", "exact"),
    (CHANGE, "－17", -17, "value", "exact"),
    (CHANGE, "减17", -17, "value", "exact"),
    (CHANGE, "+5", 5, "value", "exact"),
    (YUAN, "1234.50", 1234.5, "value", "exact"),
    (YUAN, "300元", 300, "value", "exact"),
    (WAN_YUAN, "3.2", 3.2, "value", "exact"),
    (WAN_YUAN, "3.2万元", 3.2, "value", "exact"),
    (YEAR, "2023年", 2023, "value", "exact"),
    ("meta.signed_on", "2024年1月31日", "2024-01-31", "value", "exact"),
    ("meta.signed_on", "2024-01-31", "2024-01-31", "value", "exact"),
    ("meta.division_code", "990124", "990124", "value", "exact"),
    ("meta.level", "county", "county", "value", "exact"),
    ("meta.level", "县级", "county", "value", "exact"),
    ("meta.issuer_type", "乡镇街道", "township", "value", "exact"),
    ("meta.issuer", "示例县人民政府", "示例县人民政府", "value", "exact"),
    ("meta.phone", "0606-5571044", "0606-5571044", "value", "exact"),
]


@pytest.mark.parametrize(("path", "typed", "value", "status", "bound"), RIGHT)
def test_typed_as_people_type(path: str, typed: str, value: object, status: str, bound: str) -> None:
    found = read_typed(path, typed)
    assert (found.value, found.status, found.bound) == (value, status, bound)


WRONG = [
    (COUNT, "-3"),
    (COUNT, "3.5"),
    (COUNT, "abc"),
    (COUNT, "3 or 4"),
    (COUNT, "3-5"),
    (COUNT, ""),
    (COUNT, "1e9"),
    (COUNT, "9" * 30),
    (CHANGE, "1.5"),
    (YUAN, "1.234"),
    (YUAN, "-5"),
    (WAN_YUAN, "3.2万"),
    (WAN_YUAN, "3.2亿元"),
    (YEAR, "23"),
    (YEAR, "1999"),
    (YEAR, "无"),
    ("meta.signed_on", "2024-02-30"),
    ("meta.signed_on", "2024"),
    ("meta.division_code", "12345"),
    ("meta.level", "village"),
    ("meta.issuer_type", "ministry"),
    ("meta.phone", "call us"),
    ("meta.issuer", " "),
]


@pytest.mark.parametrize(("path", "typed"), WRONG)
def test_refused_with_what_was_typed_and_what_is_allowed(path: str, typed: str) -> None:
    with pytest.raises(TypedWrong) as caught:
        read_typed(path, typed)
    for lang in ("en", "zh"):
        said = words(lang)(caught.value.key, typed=caught.value.typed)
        assert typed[:60] in said
        assert "{" not in said


PRINTS = [
    ("proactive.total", "1200余条", 1200, "value", "at_least"),
    ("proactive.total", "1200条以上", 1200, "value", "at_least"),
    ("requests.new_received.total", "未收到", 0, "zero_in_words", "exact"),
    (YUAN, "3.2万元", 32000, "value", "exact"),
    (WAN_YUAN, "3.2万元", 3.2, "value", "exact"),
    (WAN_YUAN, "5000元", 0.5, "value", "exact"),
    (CHANGE, "-17", -17, "value", "exact"),
    ("meta.signed_on", "2024年1月31日", "2024-01-31", "value", "exact"),
]


@pytest.mark.parametrize(("path", "raw", "value", "status", "bound"), PRINTS)
def test_a_print_proposes_its_value(path: str, raw: str, value: object, status: str, bound: str) -> None:
    found = proposed(path, raw)
    assert found is not None
    assert (found.value, found.status, found.bound) == (value, status, bound)


def test_a_print_without_a_figure_proposes_nothing() -> None:
    assert proposed(COUNT, "自然人") is None
    assert proposed("meta.signed_on", "去年") is None


@pytest.mark.parametrize(("path", "typed", "value", "status", "bound"), RIGHT)
def test_what_is_shown_can_be_typed_again(
    path: str, typed: str, value: float | str | None, status: str, bound: str
) -> None:
    fact = Fact(
        path=path,
        value=value,
        status=status,  # type: ignore[arg-type]
        bound=bound,  # type: ignore[arg-type]
        raw=typed,
        source="table",
        method="human",
        evidence=Evidence(start=0, end=1),
    )
    assert read_typed(path, shown(fact)) == read_typed(path, typed)


@pytest.mark.parametrize("path", ["meta.issuer_type", "meta.level"])
def test_every_choice_has_a_chinese_name(path: str) -> None:
    assert sorted(CHOICE_NAMES[path].values()) == sorted(choices_of(path))
    assert [read_typed(path, name_of(path, value)).value for value in choices_of(path)] == list(
        choices_of(path)
    )
