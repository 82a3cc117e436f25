"""The client of `flasync trace`: what it sends to an app in this process."""

import pytest

from flasync.toolkit.tracing.memory_client import Message


@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        ("/", "/", b"/", b""),
        ("/a%20b?q=x%20y", "/a b", b"/a%20b", b"q=x%20y"),
        ("//shop/books", "//shop/books", b"//shop/books", b""),
        ("/a?b=/c?d", "/a", b"/a", b"b=/c?d"),
        ("/a?b#c?d", "/a", b"/a", b"b"),
    ],
)
def test_the_path_and_its_query(target: str, path: str, raw_path: bytes, query: bytes) -> None:
    """A target is a path with a query, also where it looks like the address of a host."""
    scope = Message("GET", target).build_scope("localhost")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (path, raw_path, query)


def test_headers_that_are_given() -> None:
    """What the caller names replaces what is sent otherwise."""
    message = Message("POST", "/", [("Host", "shop"), ("content-type", "text/plain")], b"{}")
    headers = message.build_scope("localhost")["headers"]
    assert [value for name, value in headers if name == b"host"] == [b"shop"]
    assert [value for name, value in headers if name == b"content-type"] == [b"text/plain"]
    assert (b"content-length", b"2") in headers
