"""The recipe `dns-resolver`: dnspython's async functions answer as its sync ones do."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from conftest import Serving
from toolkit.migration.recipes.conftest import RoundTrip

NAME = "shop.example."
SETUP = """\
import dns.message
import dns.query
import dns.resolver


def list_texts(answer):
    return [str(item) for item in answer]
"""
BODIES = [
    'return list_texts(dns.resolver.resolve("shop.example", "A"))',
    'return list_texts(dns.resolver.resolve("shop.example", rdtype="MX", tcp=False))',
    'return list_texts(dns.resolver.resolve("other.example", "A"))',
    'return list_texts(dns.resolver.resolve("shop.example", "AAAA"))',
    'return list_texts(dns.resolver.resolve_at("127.0.0.1", "shop.example", port=PORT))',
    'return str(dns.resolver.canonical_name("shop.example"))',
    """
    question = dns.message.make_query("shop.example", "MX")
    first = dns.query.udp(question, "127.0.0.1", 5, PORT)
    second = dns.query.tcp(question, "127.0.0.1", 5, port=PORT)
    return list_texts(first.answer) + list_texts(second.answer)
    """,
    """
    own = dns.resolver.Resolver(configure=False)
    own.nameservers = ["127.0.0.1"]
    own.port = PORT
    return list_texts(own.resolve("shop.example", "MX"))
    """,
]
RECORDS = {"A": "127.0.0.7", "MX": "10 mail.example."}


class AnsweringUDP(socketserver.BaseRequestHandler):
    """Answers one question that is a datagram."""

    def handle(self) -> None:
        """Send the answer to where the question came from."""
        data, sock = self.request
        sock.sendto(build_answer(data), self.client_address)


class AnsweringTCP(socketserver.StreamRequestHandler):
    """Answers one question that comes with its length in front."""

    def handle(self) -> None:
        """Send the answer, with its length in front."""
        data = self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))
        answer = build_answer(data)
        self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def build_answer(data: bytes) -> bytes:
    """Return the answer to a question: there is one name, with two kinds of records."""
    question = dns.message.from_wire(data)
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA
    asked = question.question[0]
    kind = asked.rdtype.name
    if str(asked.name) != NAME:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif kind in RECORDS:
        answer.answer.append(dns.rrset.from_text(NAME, 60, "IN", kind, RECORDS[kind]))
    return answer.to_wire()


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Let a server run in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever)
    with server:
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A name server of our own, which the default resolvers of both modules ask."""
    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), AnsweringTCP)
    number = tcp.server_address[1]
    udp = socketserver.ThreadingUDPServer(("127.0.0.1", number), AnsweringUDP)
    for module in (dns.resolver, dns.asyncresolver):
        resolver = module.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = number
        monkeypatch.setattr(module, "default_resolver", resolver)
    with running(tcp), running(udp):
        yield number


@pytest.mark.parametrize("body", BODIES)
async def test_served(body: str, port: int, round_trip: RoundTrip, serving: Serving) -> None:
    """In requests of every kind, the answer or the exception is the same."""
    sides = round_trip("dns-resolver", SETUP, body.replace("PORT", str(port)))
    await sides.check_served(serving)


@pytest.mark.parametrize("body", BODIES)
def test_outside(body: str, port: int, round_trip: RoundTrip) -> None:
    """Outside of requests, the answer or the exception is the same."""
    round_trip("dns-resolver", SETUP, body.replace("PORT", str(port))).check_outside()
