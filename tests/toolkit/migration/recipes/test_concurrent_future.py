"""The recipe `concurrent-future`: threads, processes and other loops give the same, awaited."""

import flask
import pytest

from conftest import Call, Serving, find_threads
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = """\
import asyncio
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

executor = ThreadPoolExecutor(2)
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()


def count(number, by=1):
    if number < 0:
        raise LookupError(f"there is no {number}")
    return number + by


async def fetch(number):
    await asyncio.sleep(0)
    assert asyncio.get_running_loop() is loop
    return count(number)


def close():
    executor.shutdown()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
"""
BODIES = [
    "return executor.submit(count, 1).result()",
    "return executor.submit(count, -1).result()",
    "return executor.submit(count, 1, by=2).result(timeout=None)",
    """
    first = executor.submit(count, 1)
    second = executor.submit(count, number=2)
    return first.result() + second.result()
    """,
    """
    futures = [executor.submit(count, number) for number in (3, 2, 1)]
    return [future.result() for future in futures]
    """,
    """
    total = 0
    for future in [executor.submit(count, 1), executor.submit(count, -2)]:
        total += future.result()
    """,
    "return asyncio.run_coroutine_threadsafe(fetch(1), loop).result()",
    "return asyncio.run_coroutine_threadsafe(fetch(-1), loop).result()",
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("concurrent-future", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("concurrent-future", SETUP, body).check_outside()


async def test_processes(round_trip: RoundTrip, serving: Serving) -> None:
    """Work of another process comes back the same."""
    setup = """\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
close = executor.shutdown
"""
    body = "return executor.submit(divmod, 7, 2).result()"
    sides = round_trip("concurrent-future", setup, body)
    assert await sides.check_served(serving) == ("returned", (3, 1))
    failing = round_trip("concurrent-future", setup, body.replace("2", "0"))
    assert (await failing.check_served(serving))[:2] == ("raised", "ZeroDivisionError")


async def test_the_loop_is_free(round_trip: RoundTrip, serving: Serving) -> None:
    """While a request waits for its future, the loop serves others, and no thread is held."""
    setup = """\
import threading
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(1)
gate = threading.Event()
close = executor.shutdown
"""
    sides = round_trip("concurrent-future", setup, "return executor.submit(gate.wait).result()")
    app = flask.Flask("example")

    @app.get("/wait")
    async def wait() -> str:
        return str(await sides.new["ask_async"]())

    @app.get("/open")
    async def open_gate() -> str:
        sides.new["gate"].set()
        return ""

    async with serving(app) as asgi:
        waiting = Call(asgi, "/wait").start()
        await Call(asgi, "/open").start().finish()
        assert (await waiting.finish()).body == b"True"
        assert not [name for name in find_threads() if "worker" in name]
