"""A fake OpenAI-compatible server on loopback that answers by schema or by script, and fails on order.

For tests and benchmarks only. `fake_openai(...)` serves from a thread; `fake_server.py` serves the
same from a process. A request comes in, is counted (`Ledger`), draws a `Reply` (script, limits,
random fault or the oracle), which becomes a `Sending`: what goes over the wire.

    fake_replies      faults, Reply, Behaviour        fake_ledger      counts and log
    fake_oracle       questions and their answers     fake_files       endpoint for files
    fake_completions  completions, spoiled ones too   fake_batches     endpoint for batches
    fake_wire         requests and responses          fake_batch_lines lines in and out
    fake_limits       too many requests               fake_service     all endpoints, FakeServer
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp import web
from fake_replies import Behaviour, Reply
from fake_service import FakeServer, Service


async def serve(
    fake: FakeServer,
    behaviour: Behaviour,
    *,
    ready: Callable[[], None],
    until: Callable[[], Awaitable[object]],
    port: int = 0,
) -> None:
    """Serve on loopback until `until()` is over; `ready` is called once `fake.base_url` is set."""
    service = Service(fake, behaviour)
    fake.loop = asyncio.get_running_loop()
    # Handlers end with their client: a stall must not outlive it.
    runner = web.AppRunner(service.app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready()
        await until()
    finally:
        await runner.cleanup()
        service.ledger.close()
        fake.loop = None


@contextmanager
def fake_openai(*replies: Reply, behaviour: Behaviour | None = None) -> Iterator[FakeServer]:
    """Serve `replies` in order on a free loopback port; without any, as `behaviour` says."""
    fake = FakeServer("", list(replies))
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        here = asyncio.get_running_loop(), (stop := asyncio.Event())
        await serve(fake, behaviour or Behaviour(), ready=lambda: started.set_result(here), until=stop.wait)

    def run_in_thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run_in_thread, daemon=True)
    thread.start()
    loop, stop = started.result(timeout=30)
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
