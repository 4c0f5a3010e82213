"""Processes of Ray that a command has started, for tests that kill them."""

from __future__ import annotations

from pathlib import Path


def actors_below(pid: int, name: str) -> list[int]:
    """Actors whose title holds `name`, of the cluster that process `pid` has started; newest last."""
    return sorted(each for each in _below(pid) if name in _title(each))


def _title(pid: int) -> str:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return title if title.startswith("ray::") else ""


def _below(pid: int) -> list[int]:
    """Children, their children and so on."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += children
    return found
