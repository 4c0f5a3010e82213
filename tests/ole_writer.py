"""OLE files for tests: named streams and nothing else ([MS-CFB], version 3)."""

from __future__ import annotations

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
NONE = 0xFFFFFFFF


def ole(streams: dict[str, bytes]) -> bytes:
    """A file with these streams, each filled up with zeros to the size that needs no mini stream."""
    contents = [content.ljust(4096, b"\0") for content in streams.values()]
    sectors: list[bytes] = []
    chains: list[list[int]] = []
    directory_sectors = (len(streams) + 1 + 3) // 4
    first = 1 + directory_sectors
    for content in contents:
        pieces = [content[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(content), SECTOR)]
        chains.append(list(range(first + len(sectors), first + len(sectors) + len(pieces))))
        sectors += pieces
    fat = [FAT, *_links(list(range(1, first)))]
    for chain in chains:
        fat += _links(chain)
    fat += [FREE] * (SECTOR // 4 - len(fat))
    entries = [_entry("Root Entry", 5, child=1 if streams else NONE, start=END, size=0)]
    for number, (name, chain, content) in enumerate(zip(streams, chains, contents, strict=True), start=1):
        following = number + 1 if number < len(streams) else NONE
        entries.append(_entry(name, 2, right=following, start=chain[0], size=len(content)))
    directory = b"".join(entries).ljust(directory_sectors * SECTOR, b"\0")
    return _header() + struct.pack("<128I", *fat) + directory + b"".join(sectors)


def _links(chain: list[int]) -> list[int]:
    return [*chain[1:], END]


def _header() -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    return head + struct.pack("<109I", 0, *[FREE] * 108)


def _entry(name: str, kind: int, *, child: int = NONE, right: int = NONE, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le")
    head = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw) + 2, kind, 1, NONE, right, child)
    return head + bytes(16 + 4 + 16) + struct.pack("<IQ", start, size)
