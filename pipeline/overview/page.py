"""The page: one HTML file that asks nothing of any server.

Data are JSON in script elements, in which `<`, `>` and `&` are written as \\u escapes, and the
page's own script alone is allowed, by its hash: nothing in a report can run.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.errors import StartError
from pipeline.overview.content import Content
from pipeline.script_json import script_json

_TEMPLATES = Path(__file__).parent / "templates"
# In this order they are one script.
_SCRIPTS = ("labels", "data", "dom", "coverage", "charts", "drawing", "findings", "panel", "main")


def write_overview(content: Content, out: Path) -> Path:
    """Write the page and return its path. Raises StartError where it cannot be written."""
    page = render_overview(content)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StartError(f"{out} cannot be written: {error.strerror or error}") from error
    return out


def render_overview(content: Content) -> str:
    """The page as text."""
    script = "\n".join((_TEMPLATES / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("overview.html").render(
        title=" + ".join(content.index["runs"]),
        style=Markup((_TEMPLATES / "style.css").read_text("utf-8")),
        script=Markup(script),
        script_hash=digest,
        index=script_json(content.index),
        details=script_json(content.details),
    )
