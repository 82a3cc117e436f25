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
    ],
)
def test_a_loop_of_its_own_works_in_a_thread(server: Served, path: str, text: str) -> None:
    """`asyncio.run` and `async_to_sync` work in sync views, hooks and `run_sync`, 20 at once."""
    answers = server.get_at_once([f"/{path}"] * 20)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, text)] * 20


@pytest.mark.parametrize("path", ["async-asyncio-run", "async-asgiref"])
def test_a_nested_loop_on_the_loop_is_refused(server: Served, path: str) -> None:
    """Below an async view both raise RuntimeError, as on any running loop; none hangs."""
    answers = server.get_at_once([f"/{path}"] * 20)
    assert [answer.text[:8] for answer in answers] == ["refused:"] * 20
