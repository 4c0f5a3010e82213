"""Made-up prose of bodies that do not exist, and how tests write down what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pipeline.document import Document, DocumentBuilder, Span
from pipeline.prose.facts import LabelledMention
from pipeline.prose.mentions import Mention, find_mentions
from pipeline.prose.rules import label_by_rules
from pipeline.prose.wording import RULE_CONFIDENCE


def document(*lines: str) -> Document:
    """A report of these lines; one that begins with `# ` is a heading."""
    builder = DocumentBuilder()
    for line in lines:
        if line.startswith("# "):
            builder.add_text("heading", line[2:])
        else:
            builder.add_text("paragraph", line)
    return builder.build(doc_id="made_up", file="made_up.txt", sha256="0" * 64, media_type="text/plain")


def mentions(*lines: str) -> tuple[Mention, ...]:
    """Figures and denials of a report of these lines."""
    return find_mentions(document(*lines))


def labelled(report: Document, year: int | None = None) -> list[LabelledMention]:
    """What wording alone says of a report, as the pipeline hands it on with `--strategy rules`."""
    return [
        LabelledMention(label.mention, label.path, "rule", RULE_CONFIDENCE[label.strength], label.label)
        for label in label_by_rules(find_mentions(report), year)
        if label.path is not None
    ]


def said(report: Document, year: int | None = None) -> list[str]:
    """`print path` for each label in the order of print; a category adds its subject."""
    found = sorted(labelled(report, year), key=lambda item: (item.mention.span, item.path))
    return [" ".join(filter(None, (printed(item, report), item.path, item.label))) for item in found]


class HasMention(Protocol):
    """Anything said of a mention."""

    @property
    def mention(self) -> Mention: ...


def printed(item: HasMention, report: Document) -> str:
    """The print of a mention without white space."""
    return squeezed(item.mention.raw(report))


def squeezed(text: str) -> str:
    """`text` without white space."""
    return "".join(text.split())


def prints(found: Iterable[Mention], report: Document) -> list[str]:
    """The prints of mentions without white space."""
    return [squeezed(mention.raw(report)) for mention in found]


def spans(found: Sequence[Mention]) -> list[Span]:
    """Where mentions stand."""
    return [mention.span for mention in found]
