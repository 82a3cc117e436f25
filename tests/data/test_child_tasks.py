"""Tasks that a request starts belong to it: context, `await_`, clients and all."""

import asyncio
from functools import partial
from typing import Any

import flask
import pytest
import redis.asyncio

import flasync
from data.conftest import NAME
from flasync import await_, bridged

STARTERS = ["gather", "TaskGroup", "create_task", "grandchild"]


async def start(starter: str, make: Any) -> list[Any]:
    """Run two children in one of the ways that a view may start them."""
    if starter == "gather":
        return list(await asyncio.gather(make(1), make(2)))
    if starter == "TaskGroup":
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(make(1)), group.create_task(make(2))]
        return [task.result() for task in tasks]
    if starter == "create_task":
        tasks = [asyncio.create_task(make(1)), asyncio.create_task(make(2))]
        return [await task for task in tasks]
    return list(await asyncio.create_task(start("gather", make)))


@pytest.mark.parametrize("starter", STARTERS)
@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_children(
    starter: str, lane: str, *, app: flask.Flask, serving: Any, call: Any, redis_server: str
) -> None:
    """Children see request, g and session, and their sync code may wait."""
    app.secret_key = "secret"
    client = bridged(partial(redis.asyncio.from_url, redis_server, decode_responses=True))

    def helper(number: int) -> str:
        """Sync code, as it was before the migration."""
        await_(asyncio.sleep(0))
        key = f"{NAME}:{flask.g.user}:{number}"
        client.set(key, flask.request.args["q"])
        flask.session["seen"] = "yes"
        return str(client.get(key))

    async def child(number: int) -> str:
        await asyncio.sleep(0)
        return helper(number)

    async def view() -> dict[str, Any]:
        flask.g.user = "ada"
        return {"children": await start(starter, child), "seen": flask.session["seen"]}

    app.add_url_rule("/loop", "loop", view)
    app.add_url_rule("/thread", "thread", flasync.in_thread(lambda: await_(view())))
    async with serving(app) as asgi:
        answer = await call(asgi, f"/{lane}?q=asked").start().finish()
        assert flask.json.loads(answer.body) == {"children": ["asked", "asked"], "seen": "yes"}
        assert "session=" in answer.headers["set-cookie"]


async def test_a_failed_child_cancels_its_siblings(
    app: flask.Flask, serving: Any, call: Any
) -> None:
    """A `TaskGroup` ends a sibling that waits in sync code, whose `finally` runs."""
    log: list[str] = []

    def wait() -> None:
        try:
            await_(asyncio.Event().wait())
        finally:
            log.append("sibling ends")

    async def sibling() -> None:
        wait()

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError

    @app.get("/")
    async def view() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(sibling())
                group.create_task(failing())
        except* ValueError:
            log.append("group ends")
        return "survived"

    async with serving(app) as asgi:
        assert (await call(asgi, "/").start().finish()).body == b"survived"
    assert log == ["sibling ends", "group ends"]
