"""What the rules of blocking calls say: each once, by where it runs and how it is freed."""

import ast
from pathlib import Path

import flask
import pytest

from flasync import in_thread, on_loop
from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.graph import BlockingCall, CallSite, FunctionNode, Usage, Where
from flasync.toolkit.knowledge import Blocking, Kind, Knowledge, Way
from flasync.toolkit.rules import Program, load_rules
from flasync.toolkit.sources import Sources
from flasync.toolkit.surface import Route, Surface

NETWORK = Blocking(("httpx.get",), Kind.NETWORK, Way.REWRITE, "share one httpx.AsyncClient")
LDAP = Blocking(("ldap3.search",), Kind.NETWORK, Way.OFFLOAD, "await run_sync(search)")
LOGGING = Blocking(("syslog.syslog",), Kind.NETWORK, Way.LEAVE, "keep it: it is a datagram")
FILE = Blocking(("builtins.open",), Kind.DISK, Way.OFFLOAD, "await run_sync(open, path)")


def build_function(name: str, *sites: CallSite, is_async: bool = False) -> FunctionNode:
    """A function with those calls."""
    keyword = "async def" if is_async else "def"
    tree = ast.parse(f"{keyword} {name}(): pass").body[0]
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    return FunctionNode(name, None, tree, Place("shop.py", 1), list(sites))


def build_site(known: Blocking, line: int = 7, *, text: str = "f(…)", **rest: object) -> CallSite:
    """A call that blocks."""
    place = Place("shop.py", line, 5)
    name = str(rest.pop("name", known.names[0]))
    return CallSite(ast.Pass(), place, text, blocking=BlockingCall(name, known), **rest)


def call(target: FunctionNode, where: Where = Where.HERE) -> CallSite:
    """A call of a function of the project."""
    return CallSite(ast.Pass(), Place("shop.py", 3), "g(…)", targets=[(target, where)])


def build_program(
    *views: FunctionNode, others: tuple[FunctionNode, ...] = (), app: flask.Flask | None = None
) -> Program:
    """A program with a route for each view."""
    routes = tuple(Route(view.name, ("GET",), "/", view.name, ()) for view in views)
    program = Program(
        Sources(Path("/")), Knowledge(()), Surface(routes, (), (), ()), app, path="shop"
    )
    program.entries = {view.name: [("view", view)] for view in views}
    program.others = [("error handler", function) for function in others]
    return program


def find(program: Program, code: str = "FSY102") -> list[Finding]:
    """What a rule finds."""
    return list(load_rules()[code].find(program))


def test_severity_is_by_where_it_runs() -> None:
    """A call is an error in code of an async view, and a warning in that of a sync one."""
    (sync,) = find(build_program(build_function("show", build_site(NETWORK))))
    (loop,) = find(build_program(build_function("show", build_site(NETWORK), is_async=True)))
    assert (sync.severity, loop.severity) == (Severity.WARNING, Severity.ERROR)
    assert "its thread" in sync.message
    assert "no other async request" in loop.message


def test_files_count_less() -> None:
    """The disk is a note in a thread, and a warning on the event loop."""
    (sync,) = find(build_program(build_function("show", build_site(FILE))), "FSY104")
    (loop,) = find(build_program(build_function("show", build_site(FILE), is_async=True)), "FSY104")
    assert (sync.severity, loop.severity) == (Severity.NOTE, Severity.WARNING)


def test_what_is_to_be_left_is_a_note() -> None:
    """A wait that the knowledge says to leave is never more than a note."""
    (loop,) = find(build_program(build_function("show", build_site(LOGGING), is_async=True)))
    assert loop.severity is Severity.NOTE
    assert loop.advice == "Keep it: it is a datagram."


def test_the_worse_place_counts() -> None:
    """A helper that an async and a sync view call is one finding, of the async view's severity."""
    helper = build_function("helper", build_site(NETWORK))
    views = [build_function("a", call(helper)), build_function("b", call(helper), is_async=True)]
    for program in (build_program(*views), build_program(*reversed(views))):
        (finding,) = find(program)
        assert finding.severity is Severity.ERROR
        assert finding.function == "helper"


def test_same_function_with_other_arguments() -> None:
    """A function that was walked twice, for other arguments, is found once."""
    first = build_function("helper", build_site(NETWORK))
    second = build_function("helper", build_site(NETWORK))
    assert len(find(build_program(build_function("show", call(first), call(second))))) == 1


def test_two_callables_at_one_place() -> None:
    """A call that may be one of two callables is found for each."""
    helper = build_function("helper", build_site(NETWORK), build_site(LDAP))
    subjects = [finding.subject for finding in find(build_program(helper))]
    assert subjects == ["httpx.get", "ldap3.search"]


@pytest.mark.parametrize("where", [Where.THREAD, Where.LATER])
def test_other_threads(where: Where) -> None:
    """What is handed to another thread, or put off, is not the request's own time."""
    helper = build_function("helper", build_site(NETWORK))
    assert find(build_program(build_function("show", call(helper, where), is_async=True))) == []


def test_awaited_call() -> None:
    """A call whose value is awaited gives an awaitable, and does not wait itself."""
    site = build_site(NETWORK, usage=Usage.AWAITED)
    assert find(build_program(build_function("show", site, is_async=True))) == []


def test_coroutine_of_a_sync_view() -> None:
    """A coroutine runs on the event loop, even when a sync view in a thread waits for it."""
    coroutine = build_function("fetch", build_site(NETWORK), is_async=True)
    (finding,) = find(build_program(build_function("show", call(coroutine))))
    assert finding.severity is Severity.ERROR


def test_circle() -> None:
    """Functions that call one another end the walk."""
    first = build_function("first", build_site(NETWORK))
    second = build_function("second", call(first))
    first.sites.append(call(second))
    assert len(find(build_program(first))) == 1


def test_handlers_of_no_route() -> None:
    """Error handlers and template filters may run in any request."""
    assert len(find(build_program(others=(build_function("oops", build_site(NETWORK)),)))) == 1


def test_marked_views() -> None:
    """A live view runs where its mark says, whatever its own kind."""
    app = flask.Flask("shop")
    app.add_url_rule("/a", "a", on_loop(lambda: "done"))

    @in_thread
    async def view() -> str:
        return "done"

    app.add_url_rule("/b", "b", view)
    hook = build_function("hook", build_site(NETWORK))
    (on_the_loop,) = find(build_program(build_function("a", call(hook)), app=app))
    assert on_the_loop.severity is Severity.ERROR
    threaded = build_program(build_function("b", is_async=True), app=app)
    threaded.entries["b"].append(("before_request", hook))
    (in_a_thread,) = find(threaded)
    assert in_a_thread.severity is Severity.WARNING


def test_facts_of_a_finding() -> None:
    """A finding carries the callable, what it waits for, and how it is freed."""
    (finding,) = find(build_program(build_function("show", build_site(LDAP))))
    assert finding.place == Place("shop.py", 7, 5)
    assert (finding.subject, finding.kind, finding.way) == ("ldap3.search", "network", "offload")


def test_operations_are_named_as_written() -> None:
    """Iteration and the like, whose method nobody wrote, are told as they stand there."""
    site = build_site(NETWORK, name="httpx.Response.__iter__", text="for line in answer")
    (finding,) = find(build_program(build_function("show", site)))
    assert finding.message.startswith("`for line in answer` waits")
    assert finding.subject == "httpx.Response.__iter__"


@pytest.mark.parametrize(
    ("recipe", "way", "is_async", "advice"),
    [
        ("share one client", Way.REWRITE, False, "Share one client."),
        ("await asyncio.sleep(1)", Way.REWRITE, True, "Write: await asyncio.sleep(1)."),
        ("await its async twin", Way.REWRITE, True, "Await its async twin."),
        ("answer = await get()", Way.REWRITE, True, "Write: answer = await get()."),
        ("await run_sync(f)", Way.OFFLOAD, True, "Write: await run_sync(f)."),
        (
            "await run_sync(f)",
            Way.OFFLOAD,
            False,
            "Leave the view sync, in its thread; if it becomes async: await run_sync(f).",
        ),
    ],
)
def test_advice(recipe: str, way: Way, is_async: bool, advice: str) -> None:
    """The advice is the recipe as a sentence; what needs a thread stays sync where it is."""
    site = build_site(Blocking(("f",), Kind.NETWORK, way, recipe))
    (finding,) = find(build_program(build_function("show", site, is_async=is_async)))
    assert finding.advice == advice
