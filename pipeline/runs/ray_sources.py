"""Source files on a machine of the cluster: where it has them, else brought for the time of reading."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import GongkaiError
from pipeline.model.question import Reply
from pipeline.runs.ray_sent import answered
from pipeline.runs.remote_files import fetch
from pipeline.runs.sources import Input
from pipeline.runs.work import Asks, Done, Stopped
from pipeline.runs.workers import Workers


class Sources:
    """Source files: where they are if this machine has them, else brought into `place`."""

    def __init__(self, keeper: Any, place: Path) -> None:
        self.urls: dict[Path, str] = {}
        self._keeper = keeper
        self._place = place

    async def brought(self, document: Input, ticket: int) -> Input:
        """The document with paths that can be opened here. Raises StartError for a store that fails."""
        paths = [document.path, *(each.path for each in document.attachments)]
        is_here = not any(path in self.urls for path in paths) and all(path.is_file() for path in paths)
        if is_here or not document.sha256:
            return document
        root = os.path.commonpath([path.parent for path in paths])
        here = {path: self._place / str(ticket) / os.path.relpath(path, root) for path in paths}
        await asyncio.gather(*(self._bring(path, target) for path, target in here.items()))
        attachments = tuple(replace(each, path=here[each.path]) for each in document.attachments)
        return replace(document, path=here[document.path], attachments=attachments)

    async def _bring(self, path: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in self.urls:
            await asyncio.to_thread(fetch, self.urls[path], target)
            return
        content: bytes | None = await answered(self._keeper.file.remote(path))
        if content is not None:  # what is gone, the reader names
            target.write_bytes(content)

    def forget(self, ticket: int) -> None:
        """Remove what was brought."""
        folder = self._place / str(ticket)
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


class FetchingWorkers:
    """Workers (workers.py) for documents that may have to be brought first."""

    def __init__(self, inner: Workers, sources: Sources) -> None:
        self._inner = inner
        self._sources = sources

    async def begin(self, ticket: int, document: Input, doc_id: str) -> Asks | Done | Stopped:
        """Bring and read a document."""
        return await self._after(ticket, self._begun(ticket, document, doc_id))

    async def go_on(self, ticket: int, replies: Sequence[Reply] | GongkaiError) -> Asks | Done | Stopped:
        """Go on with it."""
        return await self._after(ticket, self._inner.go_on(ticket, replies))

    async def drop(self, ticket: int) -> None:
        """Forget it."""
        self._sources.forget(ticket)
        await self._inner.drop(ticket)

    async def close(self) -> None:
        """End the processes."""
        await self._inner.close()

    async def _begun(self, ticket: int, document: Input, doc_id: str) -> Asks | Done | Stopped:
        here = await self._sources.brought(document, ticket)
        return await self._inner.begin(ticket, here, doc_id)

    async def _after(self, ticket: int, step: Awaitable[Asks | Done | Stopped]) -> Asks | Done | Stopped:
        """The step; once the document is read, its files are not needed any more."""
        try:
            return await step
        finally:
            self._sources.forget(ticket)
