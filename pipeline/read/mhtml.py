"""Saved web pages (.mht, .mhtml): the page itself, without what it was saved with.

RFC 2557: a multipart message whose root is the page. Pictures and frames that were
saved beside it are not opened.
"""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from pipeline.errors import BrokenFile
from pipeline.read.encoding import decode
from pipeline.read.html import read_html
from pipeline.read.limits import Limits
from pipeline.read.parts import Reading


def read_mhtml(data: bytes, limits: Limits) -> Reading:
    """Parts of the page that was saved. Raises BrokenFile where there is none, EmptyFile, TooLarge."""
    message = cast(EmailMessage, message_from_bytes(data, policy=policy.compat32))
    pages = [part for part in message.walk() if part.get_content_type() == "text/html"]
    content = pages[0].get_payload(decode=True) if pages else None
    if not isinstance(content, bytes) or not content.strip():
        raise BrokenFile(
            "the saved web page (MHTML) holds no page. Open it in a browser and save it again as HTML."
        )
    return replace(read_html(decode(content), limits), media_type="multipart/related")
