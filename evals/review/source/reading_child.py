"""Sources read for people to look at: in child processes, so that no file can hang or crash the server.

One child reads documents, another draws pages: a document that takes long keeps no page waiting.
A child is asked one thing at a time; requests that come meanwhile wait for their turn. What is not
read within some seconds is shown as its text, and read on. A file that brought its child down, or
took too long in the end, is not tried again until the server is started anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from evals.review.library import Library
from evals.review.source.files import SourceFiles
from evals.review.source.reading_requests import (
    PDF,
    DrawPage,
    Failed,
    FindPlaces,
    MeasurePages,
    PageSize,
    Place,
    ReadFiles,
    Request,
    Serving,
)
from evals.review.source.recent import Recent
from pipeline.document import Document, Span
from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.read.limits import DEFAULT_LIMITS, Limits
from pipeline.runs.child import Child, ChildDied, ChildTookTooLong

__all__ = ["NotShown", "Notice", "PageSize", "Place", "Reading", "Source"]

# A record of a document that failed does not tell what its file is.
_MAY_HAVE_PAGES = (PDF, None)
_MOST_DOCUMENT_BYTES = 64 * 1024 * 1024
_MOST_PICTURE_BYTES = 32 * 1024 * 1024
_MOST_SIZES = 1000
_PAGE_SECONDS = 30.0
_PATIENCE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a source is not shown as it was read: a key of words.yaml, and its `detail`.

    To be shown as `t(notice.key, detail=notice.detail)`.
    """

    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A document for the source pane: as it was read, or its canonical text alone."""

    text: str
    document: Document | None = None
    pages: tuple[PageSize, ...] = ()
    notices: tuple[Notice, ...] = ()


class NotShown(Exception):
    """A page or place that cannot be shown; `notice` says why."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.key)
        self.notice = notice


class _Asked:
    """One child, started when it is needed, and what it failed on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: Child | None = None
        self._turn = asyncio.Lock()
        self._given_up: dict[object, Notice] = {}
        self.is_closed = False

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    async def warm(self) -> None:
        """Have the child ready."""
        async with self._turn:
            with suppress(StartError):  # said when something is asked
                if not self.is_closed:
                    await self._started()

    async def ask(self, request: Request, seconds: float) -> Any:
        """The child's answer; a Notice where there is none, at once where the same has failed before."""
        async with self._turn:
            if self.is_closed or request in self._given_up:
                return self._given_up.get(request, Notice("source.still_reading"))
            try:
                child = await self._started()
            except StartError as error:
                return Notice("source.unreadable", str(error))
            try:
                answer = await child.ask(request, seconds)
            except ChildTookTooLong:
                answer = Notice("source.too_long", f"{seconds:g}")
            except ChildDied as error:
                answer = Notice("source.crashed", error.how)
            if isinstance(answer, Failed):
                if answer.is_out_of_memory:
                    await self.end()
                answer = Notice("source.unreadable", answer.reason)
            if isinstance(answer, Notice):
                self._given_up[request] = answer
            return answer

    async def _started(self) -> Child:
        if self._child is None or not self._child.is_running:
            await self.end()
            self._child = Child(Serving, self._limits, memory_bytes=self._limits.memory_bytes)
            await self._child.started()
        return self._child

    async def end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(child.end)


class Reading:
    """Documents, pictures of pages and places on them; the last ones are kept. Of one event loop."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._limits = limits
        self._patience_seconds = patience_seconds
        self._reader, self._painter = _Asked(limits), _Asked(limits)
        self._documents: Recent[SourceFiles, Document] = Recent(_MOST_DOCUMENT_BYTES, _weight)
        self._sizes: Recent[SourceFiles, tuple[PageSize, ...]] = Recent(_MOST_SIZES)
        self._pictures: Recent[tuple[str, int], bytes] = Recent(_MOST_PICTURE_BYTES, len)
        self._reads: dict[SourceFiles, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def reader_pid(self) -> int | None:
        """The process number of the child that reads, while there is one."""
        return self._reader.pid

    async def warm(self) -> None:
        """Have the reader ready for the first document."""
        await self._reader.warm()

    async def source(self, library: Library, number: int) -> Source:
        """A document of the run. Raises NoSuchDocument."""
        record = await asyncio.to_thread(library.record, number)
        text = await asyncio.to_thread(library.text, number)
        pages: tuple[PageSize, ...] = ()
        try:
            files = await self._files(library, number, record)
            pages = await self._page_sizes(files, record)
            document = await self._document(files, record)
        except NotShown as error:
            return Source(text or "", pages=pages, notices=(error.notice,))
        if text is not None and not text.startswith(document.text):
            return Source(text, pages=pages, notices=(Notice("source.differs"),))
        return Source(document.text, document, pages)

    async def picture(self, library: Library, number: int, page: int) -> bytes:
        """A page of a PDF, counted from 1, as WebP. Raises NoSuchDocument, NotShown."""
        record = await asyncio.to_thread(library.record, number)
        key = (record.sha256, page)
        picture = self._pictures.get(key)
        if picture is None:
            if record.media_type not in _MAY_HAVE_PAGES or not 1 <= page <= self._limits.pages:
                raise NotShown(Notice("source.no_page"))
            files = await self._files(library, number, record)
            asked = self._begun(self._painter.ask(DrawPage(files.path, page), _PAGE_SECONDS))
            picture = _given(await _outcome(asked))
            self._pictures.put(key, picture)
        return picture

    async def places(self, library: Library, number: int, spans: Sequence[Span]) -> list[Place]:
        """Where spans are printed on pages of a PDF, without those of which that cannot be told.

        Raises NoSuchDocument, NotShown.
        """
        record = await asyncio.to_thread(library.record, number)
        if record.media_type not in _MAY_HAVE_PAGES:
            return []
        files = await self._files(library, number, record)
        document = await self._document(files, record)
        text = await asyncio.to_thread(library.text, number)
        if text is not None and not text.startswith(document.text):
            return []  # read differently: the spans would be other characters
        asked = self._begun(self._reader.ask(FindPlaces(files, tuple(spans)), self._limits.seconds))
        found: list[Place] = _given(await _outcome(asked))
        return found

    async def _files(self, library: Library, number: int, record: Record) -> SourceFiles:
        files = await asyncio.to_thread(library.source, number)
        if files is None:
            raise NotShown(Notice("source.no_file", record.file))
        missing = sum(part.place == "beside" for part in record.parts) - len(files.attachments)
        if missing:
            raise NotShown(Notice("source.no_attachment", str(missing)))
        return files

    async def _page_sizes(self, files: SourceFiles, record: Record) -> tuple[PageSize, ...]:
        """The pages of a PDF; without the document they can still be looked at."""
        if record.media_type not in _MAY_HAVE_PAGES:
            return ()
        sizes = self._sizes.get(files)
        if sizes is None:
            asked = self._begun(self._painter.ask(MeasurePages(files.path), _PAGE_SECONDS))
            answer = await _outcome(asked)
            sizes = () if isinstance(answer, Notice) else answer
            self._sizes.put(files, sizes)
        return sizes

    async def _document(self, files: SourceFiles, record: Record) -> Document:
        """The document, if it is read in time; it is read on in any case. Raises NotShown."""
        document = self._documents.get(files)
        if document is None:
            task = self._reads.get(files)
            if task is None:
                task = self._reads[files] = self._begun(self._read(files))
            document = _given(await _outcome(task, self._patience_seconds))
        if document.sha256 != record.sha256:
            raise NotShown(Notice("source.no_file", record.file))
        return document

    async def _read(self, files: SourceFiles) -> Document | Notice:
        try:
            answer: Document | Notice = await self._reader.ask(ReadFiles(files), self._limits.seconds)
            if isinstance(answer, Document):
                self._documents.put(files, answer)
            return answer
        finally:
            self._reads.pop(files, None)

    def _begun(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End the children; what is being read is not read on, and who waits for it gets a notice."""
        self._reader.is_closed = self._painter.is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(self._reader.end(), self._painter.end())


async def _outcome(task: asyncio.Task[Any], seconds: float | None = None) -> Any:
    """What a task answers; a Notice where it takes longer or was called off."""
    done, _ = await asyncio.wait([task], timeout=seconds)
    return task.result() if done and not task.cancelled() else Notice("source.still_reading")


def _given(answer: Any) -> Any:
    """The answer. Raises NotShown where it is a Notice."""
    if isinstance(answer, Notice):
        raise NotShown(answer)
    return answer


def _weight(document: Document) -> int:
    """About how many bytes a document takes."""
    cells = sum(len(table.cells) for table in document.tables)
    return 4 * len(document.text) + 400 * (cells + len(document.blocks))
