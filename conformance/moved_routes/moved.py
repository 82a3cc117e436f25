"""Which routes of the shop run on the event loop, and which of them a question goes to."""

from flask import Flask

from conformance.moved_routes.database import Facts
from conformance.moved_routes.questions import Ask
from flasync.lanes import Lane, find_course

# A method and a URL rule.
Route = tuple[str, str]


def list_moved(app: Flask) -> set[Route]:
    """Return the routes whose requests run on the event loop."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if find_course(app.view_functions[rule.endpoint], method).lane is Lane.LOOP
    }


def find_route(app: Flask, ask: Ask, facts: Facts) -> Route:
    """Return the route that a question goes to."""
    path, _, _ = ask.fill(facts)
    adapter = app.url_map.bind("localhost")
    rule, _ = adapter.match(path.partition("?")[0], ask.method, return_rule=True)
    return ask.method, rule.rule
