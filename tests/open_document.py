"""OpenDocument files for tests, written by hand: the text between the tags of the body."""

from __future__ import annotations

import zipfile
from io import BytesIO

_NAMES = {"office": "office", "text": "text", "table": "table", "draw": "drawing", "svg": "svg-compatible"}
_URN = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = " ".join(f'xmlns:{name}="{_URN}:{urn}:1.0"' for name, urn in _NAMES.items())
_NAMESPACES += f' xmlns:of="{_URN}:of:1.2" xmlns:xlink="http://www.w3.org/1999/xlink"'
_MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="{urn}:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{extra}'
    "</manifest:file-entry></manifest:manifest>"
)


def odf(kind: str, body: str, extra: str = "") -> bytes:
    """A `text` or `spreadsheet` with this body; `extra` goes into the manifest."""
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES} '
        f'office:version="1.2"><office:body><office:{kind}>{body}'
        f"</office:{kind}></office:body></office:document-content>"
    )
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("mimetype"), media_type)
        package.writestr("META-INF/manifest.xml", _MANIFEST.format(urn=_URN, kind=media_type, extra=extra))
        package.writestr("content.xml", content)
    return written.getvalue()
