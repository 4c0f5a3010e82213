"""The classifier of figures: what it may say, and that the file of its weights fits the code."""

from __future__ import annotations

import pytest
from prose_material import document, mentions

from pipeline.prose.classifier import MIN_PROBABILITY, NO_FIELD, classify, load_classifier
from pipeline.prose.features import features_of
from pipeline.prose.fields import prose_fields
from pipeline.prose.mentions import find_mentions
from pipeline.prose.rule_label import RuleLabel
from pipeline.prose.rules import label_by_rules
from pipeline.prose.wording import label_by_wording

SENTENCES = [
    ("全年主动公开政府信息320条。", ["proactive.total"]),
    (
        "通过政府网站公开210条，微信公众号推送96条。",
        ["proactive.channel.website", "proactive.channel.wechat"],
    ),
    (
        "受理申请12件，其中网上9件、信函3件。",
        ["requests.new_received.total", "requests.by_channel.online", "requests.by_channel.mail"],
    ),
    ("举办培训班2期，培训90人次。", ["capacity.trainings", "capacity.trainees"]),
    ("12345热线受理来电3000余件。", [None]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "paths"), SENTENCES, ids=[text for text, _ in SENTENCES])
def test_plain_sentences(text: str, paths: list[str | None]) -> None:
    labels = label_by_wording(mentions(text), 2021)
    assert [label.path for label in labels] == paths


def test_fields_are_those_of_the_schema() -> None:
    assert set(load_classifier().fields) - {NO_FIELD} <= set(prose_fields())


def test_a_field_that_does_not_count_in_the_unit_has_no_chance() -> None:
    classifier = load_classifier()
    (label,) = label_by_rules(mentions("召开新闻发布会4场。"))
    chances = classifier.probabilities(features_of(label, None), "场")
    for field, chance in zip(classifier.fields, chances, strict=True):
        if field != NO_FIELD and "场" not in prose_fields()[field].units:
            assert chance == 0.0
    assert chances.sum() == pytest.approx(1.0)


def test_most_features_of_a_sentence_are_known() -> None:
    # The file of weights is out of step with features.py when names have changed: train anew.
    (label,) = label_by_rules(mentions("全年主动公开政府信息320条。"))
    names = features_of(label, None)
    known = [name for name in names if name in load_classifier().rows]
    assert len(known) > len(names) / 3
    assert f"r{label.path}|{label.strength}" in known


def test_denials_are_left_to_the_rules() -> None:
    found = find_mentions(document("本年度未收到申请，也没有收费。"))
    labels = label_by_rules(found)
    assert classify(labels) == labels


def test_a_plain_wording_is_overruled_only_when_the_classifier_is_sure() -> None:
    assert MIN_PROBABILITY["strong"] > MIN_PROBABILITY["weak"]
    (label,) = label_by_rules(mentions("全年主动公开政府信息320条。"))
    wrong = RuleLabel(label.mention, "proactive.channel.gazette", "strong")
    (decided,) = classify([wrong])
    if decided.path != wrong.path:
        assert decided.probability is not None
        assert decided.probability >= MIN_PROBABILITY["strong"]
        assert decided.alternative == wrong.path
