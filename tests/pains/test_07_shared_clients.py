"""Pools and clients made once are shared by 1,000 requests, hooks and teardowns."""

import asyncio

import httpx
import pytest

from pains.servers import Served

APP = "pains.apps.shared_clients:app"
REQUESTS = 1000
AT_ONCE = 40

pytestmark = pytest.mark.usefixtures("postgres", "redis_server")


def test_a_thousand_requests_of_both_lanes_share_everything(server: Served) -> None:
    """No request meets a closed or foreign loop; each client answers for its own request."""

    async def ask_all() -> list[httpx.Response]:
        places = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(
            base_url=server.url, timeout=120, verify=False, limits=limits
        ) as client:

            async def ask(number: int) -> httpx.Response:
                async with places:
                    return await client.get(f"/{('async', 'sync')[number % 2]}/{number}")

            return await asyncio.gather(*(ask(number) for number in range(REQUESTS)))

    answers = asyncio.run(ask_all())
    wrong = [answer.text for answer in answers if answer.status_code != 200]
    assert wrong == []
    assert [answer.text for answer in answers] == [str(n) for n in range(REQUESTS)]
    server.wait_for("teardown 1", REQUESTS)
    assert server.counts() == {"after 1": REQUESTS, "teardown 1": REQUESTS}
    assert len(server.client.get("/loops").json()) == 1
