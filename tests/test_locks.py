"""`flasync.locks`: two requests and a lock between them."""

import asyncio
import threading
from typing import Any

import pytest

import flasync
from conftest import Call
from flasync import stalls
from flasync.bridge import drive
from flasync.stalls import Stall

THRESHOLD_S = 0.05


class Stock:
    """What two views share, with a lock that belongs to threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def build_app(stock: Stock, taken: asyncio.Event) -> flasync.Flask:
    app = flasync.Flask(__name__)
    app.config["STALL_WARNING"] = THRESHOLD_S

    @app.get("/holder")
    async def holder() -> str:
        with stock.lock:
            taken.set()
            await asyncio.sleep(0)  # switched away, lock in hand
            await asyncio.sleep(0)
        return ""

    @app.get("/with")
    async def wants_it_by_with() -> str:
        await taken.wait()
        with stock.lock:
            return ""

    @app.get("/acquire")
    async def wants_it_by_acquire() -> str:
        await taken.wait()
        stock.lock.acquire()
        stock.lock.release()
        return ""

    return app


@pytest.mark.parametrize("path", ["/with", "/acquire"])
async def test_a_lock_held_across_a_wait_is_named(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report names both requests, the lock, and the lines; and the deadlock was real."""
    stock, taken = Stock(), asyncio.Event()
    reports: list[Stall] = []

    def report(stall: Stall) -> None:
        reports.append(stall)
        if stall.held_lock is not None:
            stock.lock.release()  # from the watchdog's thread: nobody else could

    monkeypatch.setattr("flasync.runtime.log_stall", lambda log: report)
    app = build_app(stock, taken)
    calls: list[Any] = [Call(app, path).start(), Call(app, "/holder").start()]
    answers = [await call.finish() for call in calls]
    assert [answer.status for answer in answers] == [200, 500]  # its lock was given back for it
    stalls.unwatch_loop()

    held = next(stall for stall in reports if stall.held_lock is not None)
    text = str(held)
    assert not held.has_ended
    assert held.who == f"GET {path}"
    assert held.held_lock is not None
    assert held.held_lock.owner == "GET /holder"
    assert held.held_lock.expression == "stock.lock"
    assert "in holder" in held.held_lock.taken_at
    assert "in holder" in held.held_lock.waits_at
    assert "asyncio.Lock" in text


async def test_a_lock_that_another_thread_holds_is_no_deadlock() -> None:
    """A stall at a lock whose owner is no suspended request is a stall like any other."""
    lock = threading.Lock()
    lock.acquire()
    reports: list[Stall] = []

    def report(stall: Stall) -> None:
        reports.append(stall)

    stalls.watch_loop(THRESHOLD_S, report)
    timer = threading.Timer(THRESHOLD_S * 4, lock.release)

    def take() -> None:
        timer.start()
        with lock:
            pass

    await drive(take)
    timer.join()
    stalls.unwatch_loop()
    assert [stall.held_lock for stall in reports] == [None]
