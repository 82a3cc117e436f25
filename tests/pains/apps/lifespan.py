"""Hooks around serving."""

import asyncio
from collections.abc import AsyncIterator

import flasync

app = flasync.Flask(__name__)
loops: list[int] = []


async def loop_id() -> int:
    """Which loop runs this."""
    return id(asyncio.get_running_loop())


@app.before_serving
async def begin() -> None:
    """Before the first request."""
    await asyncio.sleep(0)
    loops.append(await loop_id())
    print("before_serving ran")


@app.after_serving
async def end() -> None:
    """After the last."""
    await asyncio.sleep(0)
    assert loops == [await loop_id()] * 2
    print("after_serving ran")


@app.while_serving
async def around() -> AsyncIterator[None]:
    """Around all of them."""
    loops.append(await loop_id())
    print("while_serving began")
    yield
    print("while_serving ended")


def judge(loop: int) -> str:
    """Whether the hooks ran, and on this loop."""
    return "started on this loop" if loops == [loop, loop] else f"{loops} != {loop}"


@app.get("/async")
async def async_view() -> str:
    """From the loop lane."""
    return judge(await loop_id())


@app.get("/sync")
def sync_view() -> str:
    """From the thread lane."""
    return judge(flasync.await_(loop_id()))


@app.get("/async-loop")
async def async_loop() -> str:
    """The loop of async views."""
    return str(await loop_id())


@app.get("/sync-loop")
def sync_loop() -> str:
    """The loop of what sync views wait for."""
    return str(flasync.await_(loop_id()))
