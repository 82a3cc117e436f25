"""Routes by their names."""

import pytest

from flasync.errors import VerifyError
from flasync.toolkit.verifying.choosing import choose_routes
from flasync.toolkit.verifying.evidence import AppRoute

ROUTES = [
    AppRoute("GET", "/", "index", "loop"),
    AppRoute("GET", "/books", "catalogue.list_books", "loop"),
    AppRoute("GET", "/books/new", "catalogue.new_books", "thread"),
    AppRoute("GET", "/health", "health", "loop"),
]


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (["/"], ["/"]),
        (["/books"], ["/books"]),
        (["GET /books"], ["/books"]),
        (["health"], ["/health"]),
        (["catalogue.*"], ["/books", "/books/new"]),
        (["/books*"], ["/books", "/books/new"]),
        (["book"], ["/books", "/books/new"]),
        (["/health", "index", "/health"], ["/", "/health"]),
        ([], []),
    ],
)
def test_rules_endpoints_and_parts(wanted: list[str], paths: list[str]) -> None:
    """A rule, an endpoint or a pattern names a route; else a part of a rule does."""
    assert [route.path for route in choose_routes(ROUTES, wanted)] == paths


@pytest.mark.parametrize(
    ("name", "words"), [("/helth", "Did you mean '/health'?"), ("/zzz[", "flasync verify /books/3")]
)
def test_unknown_name(name: str, words: str) -> None:
    """A name that is no route's is refused, with what is close to it and what else to do."""
    with pytest.raises(VerifyError) as caught:
        choose_routes(ROUTES, ["/books", name])
    assert words in str(caught.value)
