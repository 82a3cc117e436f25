"""Code that brings an event loop of its own works, or is refused at once: no deadlock."""

import pytest

from pains.servers import Served

APP = "pains.apps.nested_loops:asgi"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("asyncio-run", "2"),
        ("asyncio-run-twice", "4"),
        ("new-event-loop", "2"),
        ("asgiref", "2"),
        ("asgiref-hook", "2"),
        ("asgiref-in-thread", "2"),
        ("async-run-sync", "2"),
        ("async-asgiref", "2"),
        ("asgiref-hook-async", "2"),
    ],
)
def test_a_nested_loop_works(server: Served, path: str, text: str) -> None:
    """`asyncio.run` works in sync views and `run_sync`, `async_to_sync` also on the loop."""
    answers = server.get_at_once([f"/{path}"] * 20)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, text)] * 20


def test_asyncio_run_on_the_loop_is_refused(server: Served) -> None:
    """Below an async view `asyncio.run` raises RuntimeError, as on any running loop."""
    answers = server.get_at_once(["/async-asyncio-run"] * 20)
    assert [answer.text[:8] for answer in answers] == ["refused:"] * 20
