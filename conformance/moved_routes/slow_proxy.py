"""A TCP proxy on loopback that hands on what the server answers only after a delay.

It makes a database that answers in no time as slow as one in another building. A program of its
own, so that what it computes holds up neither the client nor the app that are measured.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 1 << 16


@contextmanager
def slow_down(host: str, port: int, delay_ms: int) -> Iterator[int]:
    """Give a port on loopback that leads to a server, until the block ends.

    Args:
        host: Where the server listens.
        port: The server's port.
        delay_ms: How long an answer is held back.
    """
    command = [sys.executable, __file__, host, str(port), str(delay_ms)]
    # It ends when its input does: at the end of the block, and also when this process is killed.
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # CTRL+C is for us alone.
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


class _Proxy:
    """The way from clients to one server and back."""

    def __init__(self, host: str, port: int, delay_s: float) -> None:
        self._host = host
        self._port = port
        self._delay_s = delay_s

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client with the server until either hangs up."""
        try:
            there, to_server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            _relay(reader, to_server, delay_s=0), _relay(there, writer, delay_s=self._delay_s)
        )


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    # Who hangs up, or resets the connection, ends it for the other as well.
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            await asyncio.sleep(delay_s)
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def serve(host: str, port: int, delay_ms: int) -> None:
    """Listen on a free port, print it, and serve until the input ends."""
    proxy = _Proxy(host, port, delay_ms / 1000)
    server = await asyncio.start_server(proxy.carry, LOOPBACK, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
