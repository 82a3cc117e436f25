"""Servers of a few lines in a thread, which know what was asked and answer what they are told."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# Three requests of a baseline are enough if each takes so many seconds.
_ALONE_S = 0.02

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def open_server(handler: Handler) -> Iterator[str]:
    """The URL of a server whose connections `handler` serves, on a loop in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has had enough
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def open_answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends `answer` and closes: its URL, and the requests that have come."""
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (line.split(b":")[1] for line in head.split(b"\r\n") if b"ontent-Length" in line), b"0"
        )
        requests.append(head + await reader.readexactly(int(length)))
        writer.write(answer)
        await writer.drain()

    with open_server(handle) as url:
        yield url, requests


class Gate:
    """A server that answers the first requests alone, and the rest when `count` have come in."""

    def __init__(self, free: int, count: int) -> None:
        """Answer `free` requests after a moment, later ones in groups of `count`."""
        self.free, self.count = free, count
        self.events: list[str] = []
        self.waiting = 0
        self.full = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.events.append("connected")
        while await reader.readuntil(b"\r\n\r\n"):
            await self._wait()
            writer.write(OK)

    async def _wait(self) -> None:
        self.events.append("asked")
        if self.free:
            self.free -= 1
            await asyncio.sleep(_ALONE_S)
        else:
            self.waiting += 1
            if self.waiting == self.count:
                self.full.set()
            await self.full.wait()
        self.events.append("answered")
