"""What `flasync verify` costs the app that it watches, as `python -m benchmarks.witness_cost`.

The same app is served twice, with the witness and without. Both are asked in turns, over kept
connections, for views that do nothing: the worst case. Printed is the median of the rounds.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from flasync.instruments import VARIABLE as WATCHER
from flasync.toolkit.served_app import ServedApp, serve_app
from flasync.toolkit.verifying.evidence_rows import VARIABLE as EVIDENCE

APPS = {"async view": "flask_async", "sync view": "flask_sync"}
CONNECTIONS = 16
REQUESTS = 100
"""Requests a round, on each connection."""
ROUNDS = 15


@contextmanager
def serve(name: str, evidence: Path | None) -> Iterator[ServedApp]:
    """Serve a benchmark's app, watched if there is a file for the evidence."""
    watched = {WATCHER: "flasync.toolkit.verifying.witness:watch", EVIDENCE: str(evidence)}
    if evidence is not None:
        os.environ.update(watched)
    try:
        with serve_app(f"benchmarks.apps.{name}:create_app()") as app:
            yield app
    finally:
        for variable in watched:
            os.environ.pop(variable, None)


async def ask(app: ServedApp) -> None:
    """Ask once over each connection, again and again."""
    address = urlsplit(app.url)

    async def repeat(number: int) -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for turn in range(REQUESTS):
            identity = f"X-Flasync-Request: {number}-{turn}"
            writer.write(f"GET / HTTP/1.1\r\nHost: app\r\n{identity}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        writer.close()

    await asyncio.gather(*map(repeat, range(CONNECTIONS)))


def measure(app: ServedApp) -> tuple[float, float]:
    """Return requests a second, and microseconds of the server's processor time a request."""
    process = psutil.Process(app.process.pid)
    before, started = sum(process.cpu_times()[:2]), time.perf_counter()
    asyncio.run(ask(app))
    wall_s = time.perf_counter() - started
    count = CONNECTIONS * REQUESTS
    return count / wall_s, (sum(process.cpu_times()[:2]) - before) * 1e6 / count


def main() -> None:
    """Print the cost for each app."""
    for label, name in APPS.items():
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            plain = stack.enter_context(serve(name, None))
            watched = stack.enter_context(serve(name, Path(folder, "evidence")))
            rounds = [(measure(plain), measure(watched)) for _ in range(ROUNDS + 1)][1:]
        throughput = statistics.median(seen[0] / bare[0] for bare, seen in rounds)
        processor = statistics.median(seen[1] - bare[1] for bare, seen in rounds)
        print(f"{label}: {throughput:.2f} of the throughput, {processor:+.0f} us a request")


if __name__ == "__main__":
    main()
