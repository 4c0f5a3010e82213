"""The fake server's endpoint for files, and the shelf on which its records outlive the process."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from fake_replies import JSON
from fake_wire import Refused


class Shelf:
    """Named JSON records in order of their making, and bytes; in a folder too where there is one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.records: dict[str, JSON] = {}
        self.contents: dict[str, bytes] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            read = [json.loads(path.read_text()) for path in folder.glob("*.json")]
            self.records = {
                record["id"]: record for record in sorted(read, key=lambda record: record["order"])
            }
            self.contents = {path.stem: path.read_bytes() for path in folder.glob("*.bytes")}

    def put(self, record: JSON, content: bytes | None = None) -> None:
        """Keep a record, new or changed; its bytes are there before it is."""
        last = max((kept["order"] for kept in self.records.values()), default=0)
        record.setdefault("order", last + 1)
        self.records[record["id"]] = record
        if content is not None:
            self.contents[record["id"]] = content
            self._write(f"{record['id']}.bytes", content)
        self._write(f"{record['id']}.json", json.dumps(record).encode())

    def get(self, name: str, noun: str) -> JSON:
        """The record of this name."""
        if name not in self.records:
            raise Refused(404, f"No such {noun} object: {name}")
        return self.records[name]

    def delete(self, name: str) -> None:
        """Forget a record and its bytes."""
        del self.records[name]
        self.contents.pop(name, None)
        if self._folder is not None:
            (self._folder / f"{name}.json").unlink()
            (self._folder / f"{name}.bytes").unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        if self._folder is None:
            return
        part = self._folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(self._folder / name)


def paged(items: Sequence[JSON], query: Mapping[str, str], most: int) -> JSON:
    """One page of `items` by `after` and `limit`."""
    names = [item["id"] for item in items]
    after, limit = query.get("after"), query.get("limit", str(most))
    if not limit.isdigit() or (after is not None and after not in names):
        raise Refused(400, f"cannot page with after={after!r}, limit={limit!r}")
    start = 0 if after is None else names.index(after) + 1
    page = list(items[start : start + int(limit)])
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + len(page) < len(items),
    }


class Files:
    """The files endpoint."""

    def __init__(self, folder: Path | None) -> None:
        self._shelf = Shelf(folder)

    def create(self, filename: str, purpose: str, content: bytes) -> JSON:
        """Keep a file; its object."""
        made = {
            "id": made_name("file-"),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "expires_at": None,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self._shelf.put({"id": made["id"], "object": made}, content)
        return made

    def page(self, query: Mapping[str, str]) -> JSON:
        """Newest first, or `order=asc`."""
        made = [record["object"] for record in self._shelf.records.values()]
        wanted = [item for item in made if query.get("purpose", item["purpose"]) == item["purpose"]]
        return paged(wanted if query.get("order") == "asc" else wanted[::-1], query, 10_000)

    def get(self, name: str) -> JSON:
        """The object of a file."""
        found: JSON = self._shelf.get(name, "File")["object"]
        return found

    def content(self, name: str) -> bytes:
        """Its bytes."""
        self.get(name)
        return self._shelf.contents[name]

    def delete(self, name: str) -> JSON:
        """Forget it."""
        self.get(name)
        self._shelf.delete(name)
        return {"id": name, "object": "file", "deleted": True}


def made_name(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:24]}"
