"""What it costs that requests can be watched, as `python -m benchmarks.instruments_cost`.

An async view that does nothing is asked in this process, with nobody watching and with a watcher
whose methods do nothing, in turns. The difference is more than the price of the places that ask
whether anybody watches: without a watcher, that is all they do.
"""

import asyncio
import statistics
import time
from typing import Any

import flask

import flasync
from flasync import instruments

REQUESTS = 2000
"""Requests a round."""
ROUNDS = 15

SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 40000),
    "server": ("localhost", 80),
}


def build_app() -> flasync.ASGI:
    """An app with one view."""
    app = flask.Flask("benchmark")

    @app.get("/")
    async def index() -> dict[str, int]:
        return {"answer": 42}

    return flasync.ASGI(app)


async def ask(asgi: flasync.ASGI) -> None:
    """One request by a client that stays until it is answered."""
    inbox = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return inbox.pop() if inbox else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        """Take a part of the response."""

    await asgi(dict(SCOPE), receive, send)


async def measure(asgi: flasync.ASGI) -> float:
    """Microseconds of the processor a request, over one round."""
    started = time.process_time()
    for _ in range(REQUESTS):
        await ask(asgi)
    return (time.process_time() - started) / REQUESTS * 1e6


async def run() -> dict[str, list[float]]:
    """The rounds of each, after one to warm up."""
    asgi = build_app()
    await measure(asgi)
    rounds: dict[str, list[float]] = {"nobody watches": [], "a watcher does nothing": []}
    for _ in range(ROUNDS):
        for name, watcher in zip(rounds, (None, instruments.Watcher()), strict=True):
            instruments.set_watcher(watcher)
            rounds[name].append(await measure(asgi))
    return rounds


def main() -> None:
    """Print the median of the rounds, and the least."""
    for name, figures in asyncio.run(run()).items():
        print(f"{name}: {statistics.median(figures):.1f} us a request, at least {min(figures):.1f}")


if __name__ == "__main__":
    main()
