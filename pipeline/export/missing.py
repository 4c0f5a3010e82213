"""Kinds of no number, and how files that can tell them apart do so."""

from __future__ import annotations

MISSING_LETTERS = {
    "blank": "a",
    "not_applicable": "b",
    "illegible": "c",
    "not_mentioned": "d",
    "failed": "e",
    "not_in_template": "f",
    "undefined": "g",
    "not_comparable": "h",
}
"""Status → letter of Stata's extended missing value: `.a` to `.h`."""

OTHER_LETTER = "z"
"""For a status that is none of these and goes with no number: the status column says which."""
