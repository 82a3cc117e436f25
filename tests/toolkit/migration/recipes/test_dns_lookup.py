"""The recipe `dns-lookup`: the loop's resolver answers as `socket`'s functions do."""

import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

SETUP = "import socket\n"
BODIES = [
    'return socket.getaddrinfo("localhost", 80)',
    'return socket.getaddrinfo(None, "http", 2, socket.SOCK_STREAM, 6, socket.AI_PASSIVE)',
    'return socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)[0]',
    'return socket.getaddrinfo(host="no-such-host.invalid", port=80)',
    'return socket.getaddrinfo("localhost", "no-such-service")',
    'return socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST)',
    'return socket.getnameinfo(("no-such-host.invalid", 80), 0)',
]


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    await round_trip("dns-lookup", SETUP, body).check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("dns-lookup", SETUP, body).check_outside()
