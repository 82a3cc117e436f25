"""Walking the call graph: once each, the nearest first, in the request's own time."""

import ast

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import (
    CallSite,
    FunctionNode,
    Where,
    list_functions,
    walk_calls,
    walk_functions,
)


def build(name: str, *targets: tuple[FunctionNode, Where]) -> FunctionNode:
    node = FunctionNode(name, None, None, Place("a.py", 1))
    for target, where in targets:
        text = f"{target.name}()"
        node.sites.append(CallSite(ast.Pass(), node.place, text, targets=[(target, where)]))
    return node


def test_shortest_chain() -> None:
    """A function that is reached in two ways is given once, with the shorter chain."""
    last = build("last")
    middle = build("middle", (last, Where.HERE))
    entry = build("entry", (middle, Where.HERE), (last, Where.HERE))
    found = [(node.name, [step.call for step in chain]) for node, chain in walk_functions(entry)]
    assert found == [("entry", []), ("middle", ["middle()"]), ("last", ["last()"])]


def test_circles_end() -> None:
    """Functions that call one another are each given once."""
    entry = build("entry")
    other = build("other", (entry, Where.HERE))
    entry.sites.append(CallSite(ast.Pass(), entry.place, "", targets=[(other, Where.HERE)]))
    assert [node.name for node, _ in walk_functions(entry)] == ["entry", "other"]


def test_only_the_requests_own_time() -> None:
    """What runs in a thread, or later, is not followed; the call itself is given."""
    far = build("far")
    entry = build("entry", (far, Where.THREAD), (far, Where.LATER))
    assert [node.name for node, _ in walk_functions(entry)] == ["entry"]
    assert [reached.site.text for reached in walk_calls(entry)] == ["far()", "far()"]


def test_functions_of_several_entries() -> None:
    """What several entries run is listed once, as far as it is in the request's own time."""
    shared = build("shared", (build("last"), Where.HERE), (build("far"), Where.THREAD))
    entries = [
        build("first", (shared, Where.HERE)),
        build("second", (build("only"), Where.HERE), (shared, Where.HERE)),
    ]
    found = [function.name for function in list_functions(entries)]
    assert found == ["first", "shared", "last", "second", "only"]


def test_chain_ends_at_the_site() -> None:
    """The last step of a reached call is the call itself."""
    inner = build("inner", (build("leaf"), Where.HERE))
    reached = list(walk_calls(build("entry", (inner, Where.HERE))))
    assert [[step.call for step in item.chain] for item in reached] == [
        ["inner()"],
        ["inner()", "leaf()"],
    ]


def test_names_are_noted_once() -> None:
    """A name that is noted again is not repeated."""
    site = CallSite(ast.Pass(), Place("a.py", 1), "")
    site.add_names("a.b")
    site.add_names("a.b", "c.d")
    assert site.names == ("a.b", "c.d")
