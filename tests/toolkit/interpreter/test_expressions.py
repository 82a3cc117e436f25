"""What expressions may be, and what evaluating them calls."""

import ast

import pytest

from flasync.toolkit.interpreter.expressions import describe

from .projects import Project

CODE = """
class Slow:
    def go(self): time.sleep(1)
class Free:
    def go(self): pass
slow, free = Slow(), Free()
"""


@pytest.mark.parametrize(
    ("view", "count"),
    [
        ("(slow if app else free).go()", 1),
        ("(free or slow).go()", 1),
        ("(a := slow).go()", 1),
        ("a = [slow for b in 'x']\na[0].go()", 1),
        ("[slow.go() for b in 'x' if slow.go()]", 2),
        ("{slow.go(): slow.go() for b in 'x'}", 2),
        ("f'{slow.go()!r}'", 1),
        ("(lambda a: a.go())(slow)", 1),
        ("(lambda a=slow: a)()", 0),
        ("getattr(slow, 'go')()", 1),
        ("getattr(slow, flask.request.method)()", 0),
        ("x = slow\nx = free\nx.go()", 0),
        ("-slow.go() + slow.go() < slow.go()", 3),
        ("print(*slow.go(), **slow.go())", 2),
        ("free.go(slow.go())", 1),
        ("type(slow)().go()", 1),
    ],
)
def test_evaluated(project: Project, view: str, count: int) -> None:
    """Every part of an expression is evaluated, once, with what its names stand for there."""
    assert len({site.place for site in _list_calls(project, view)}) == count


def _list_calls(project: Project, view: str) -> list[object]:
    found = project.scan_view(CODE, view)
    return [site for site in found.sites if any(t.name == "app.Slow.go" for t, _ in site.targets)]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("a.b(c)", "a.b(…)"),
        ("a.b()", "a.b()"),
        ("a", "a"),
        ("a().b", "a().b"),
        ("a[1](x=2)", "a[1](…)"),
        ("(lambda:\n    1)()", "lambda: 1()"),
    ],
)
def test_described_shortly(code: str, text: str) -> None:
    """A call is shown as written, its arguments left out, on one line."""
    assert describe(ast.parse(code, mode="eval").body) == text


def test_long_texts_are_cut_at_the_front() -> None:
    """A long chain keeps its end, which says what is called."""
    text = describe(ast.parse(".".join(["name"] * 40), mode="eval").body)
    assert text.startswith("…")
    assert text.endswith("name.name")
    assert len(text) <= 60


def test_deeply_nested_text() -> None:
    """A chain of a thousand calls is described without running out of stack."""
    assert describe(ast.parse("a" + ".b()" * 300, mode="eval").body).endswith(".b()")
