"""Office packages (ZIP): what they would unpack to, seen before anything is unpacked."""

from __future__ import annotations

import zipfile
from io import BytesIO

from pipeline.read.limits import Limits, refuse_above


def opened_within(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """The package, if it unpacks to no more than the limit. Raises TooLarge, and what zipfile raises."""
    package = zipfile.ZipFile(BytesIO(data))
    expanded = sum(member.file_size for member in package.infolist())
    refuse_above(expanded, limits.expanded_bytes, "bytes when unpacked")
    return package
