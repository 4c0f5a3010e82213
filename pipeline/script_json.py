"""JSON for a script element of a page: whatever a document says, it holds no markup."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

_UNSAFE_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_json(content: Any) -> Markup:
    """JSON that is safe inside a script element: it holds no markup, whatever the text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escape in _UNSAFE_IN_SCRIPT.items():
        text = text.replace(sign, escape)
    return Markup(text)


def written_bytes(content: Any) -> int:
    """How many bytes of a page `content` takes up."""
    return len(script_json(content).encode("utf-8"))
