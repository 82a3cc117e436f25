"""Requests truly overlap: 20 at once cost about one, on one loop, in 20 contexts."""

import time

import pytest

from pains.servers import Served

APP = "pains.apps.overlap:asgi"
REQUESTS = 20


@pytest.mark.parametrize("lane", ["async", "sync"])
def test_twenty_requests_are_inside_the_view_at_once(server: Served, lane: str) -> None:
    """A view that waits until 20 requests have met in it returns for all of them."""
    answers = server.get_at_once([f"/{lane}/{n}" for n in range(REQUESTS)])
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    seen = [answer.json() for answer in answers]
    assert [one["path"] for one in seen] == [f"/{lane}/{n}" for n in range(REQUESTS)]
    assert len({one["thread"] for one in seen}) == (1 if lane == "async" else REQUESTS)


@pytest.mark.parametrize("lane", ["async", "sync"])
def test_each_request_has_a_context_of_its_own(server: Served, lane: str) -> None:
    """A variable set in a hook is seen in its own view and teardown, and nowhere else."""
    answers = server.get_at_once([f"/{lane}/{n}" for n in range(REQUESTS)])
    seen = [answer.json() for answer in answers]
    assert [one["mine"] for one in seen] == list(range(REQUESTS))
    assert [one["g"] for one in seen] == list(range(REQUESTS))
    server.wait_until(lambda: len(server.events()) == REQUESTS, "20 teardowns")
    assert sorted(server.events()) == sorted(f"teardown {n} {n}" for n in range(REQUESTS))


def test_one_loop_runs_the_coroutines_of_both_lanes(server: Served) -> None:
    """Async views, and coroutines that sync views wait for, see the same event loop."""
    paths = [f"/async/{n}" for n in range(REQUESTS)] + [f"/sync/{n}" for n in range(REQUESTS)]
    answers = server.get_at_once(paths)
    assert len({answer.json()["loop"] for answer in answers}) == 1


@pytest.mark.parametrize("lane", ["async", "sync"])
def test_twenty_waits_cost_far_less_than_twenty_times_one(server: Served, lane: str) -> None:
    """20 requests at once take less than half of 20 times one: the waits overlap."""
    path = f"/{lane}-sleep"
    started = time.perf_counter()
    assert server.client.get(path).status_code == 200
    one_s = time.perf_counter() - started
    started = time.perf_counter()
    answers = server.get_at_once([path] * REQUESTS)
    at_once_s = time.perf_counter() - started
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    # Half, so that a busy machine has two seconds for the work around the waits.
    assert at_once_s < REQUESTS * one_s / 2
