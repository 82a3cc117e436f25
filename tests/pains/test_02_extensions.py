"""Extensions' decorators work over `async def` views without help from the extension."""

import uuid

import httpx
import pytest

from pains.servers import Served

APP = "pains.apps.extensions:asgi"


@pytest.fixture
def who() -> str:
    """A name that no other test uses (the limits and caches live in the server)."""
    return uuid.uuid4().hex


def test_login_required_guards_an_async_view(server: Served, who: str) -> None:
    """`@login_required` refuses strangers and lets the logged-in user through."""
    with httpx.Client(base_url=server.url, verify=False) as browser:
        assert browser.get("/me").status_code == 401
        assert browser.post(f"/login/{who}").text == who
        assert browser.get("/me").text == who


def test_login_required_views_overlap(server: Served, who: str) -> None:
    """20 logged-in requests are inside a decorated async view at the same time."""
    cookies = httpx.post(f"{server.url}/login/{who}", verify=False).cookies
    session = {"Cookie": f"session={cookies['session']}"}
    answers = server.get_at_once(["/meet-me"] * 20, headers=session)
    assert [answer.text for answer in answers] == [who] * 20


def test_jwt_required_guards_an_async_view(server: Served, who: str) -> None:
    """`@jwt_required` refuses a missing token and sees the identity of a valid one."""
    assert server.client.get("/jwt-me").status_code == 401
    token = server.client.post(f"/token/{who}").json()["token"]
    answer = server.client.get("/jwt-me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.text) == (200, who)


def test_limiter_limits_an_async_view(server: Served, who: str) -> None:
    """The third request within "2 per hour" gets 429 and does not reach the view."""
    answers = [server.client.get("/limited", params={"who": who}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert server.counts()["limited view ran"] == 2


def test_cached_keeps_the_result_of_an_async_view(server: Served, who: str) -> None:
    """`@cache.cached` stores the response, not the coroutine: the view runs once."""
    answers = [server.client.get("/cached", params={"who": who}) for _ in range(3)]
    assert [answer.text for answer in answers] == [f"computed for {who}"] * 3
    assert server.counts()["cached view ran"] == 1


def test_memoize_keeps_the_result_of_a_coroutine_function(server: Served, who: str) -> None:
    """`@cache.memoize` over a coroutine function stores its result: it runs once."""
    answers = [server.client.get("/memoized", params={"who": who}) for _ in range(3)]
    assert [answer.text for answer in answers] == [f"memo of {who}"] * 3
    assert server.counts()["memoized function ran"] == 1


def test_stacked_decorators(server: Served, who: str) -> None:
    """Login, limit and cache over one async view work together."""
    with httpx.Client(base_url=server.url, verify=False) as browser:
        browser.post(f"/login/{who}")
        answers = [browser.get("/all", params={"who": who}) for _ in range(2)]
        assert [answer.text for answer in answers] == [f"{who} in all"] * 2
