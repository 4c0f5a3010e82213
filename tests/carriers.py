"""What a report says, for comparing its carriers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipeline.document import Document
from pipeline.extraction import extract_document

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"


def facts_of(document: Document) -> Counter[tuple[str, ...]]:
    """What is said of a document, wherever it stands; every fact holds its print."""
    facts = extract_document(document, "rules", None).facts
    for fact in facts:
        print_ = document.text[fact.evidence.start : fact.evidence.end]
        assert "".join(fact.raw.split()) in "".join(print_.split())
    return Counter(
        (f.path, f.source, f.status, str(f.value), f.bound, str(f.scope), str(f.label)) for f in facts
    )
