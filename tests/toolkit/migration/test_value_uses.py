"""What is found of the uses of a call's value."""

import textwrap

import pytest

from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.value_uses import UseKind, list_uses


def find_uses(body: str) -> list[tuple[UseKind, str]]:
    """The uses of `ask()` in the body of a function."""
    text = "def function(self):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    file = ParsedFile("app.py", text)
    call = next(call for _, call in file.list_calls() if getattr(call.func, "value", "") == "ask")
    return [(use.kind, use.attribute) for use in list_uses(file, call)]


@pytest.mark.parametrize(
    ("body", "uses"),
    [
        ("ask()", [(UseKind.IGNORED, "")]),
        ("return ask()", [(UseKind.RETURNED, "")]),
        ("return ask().ok", [(UseKind.READ, "ok")]),
        ("return ask().json()['a'].b", [(UseKind.READ, "json")]),
        ("use(ask())", [(UseKind.PASSED, "")]),
        ("use(*ask())", [(UseKind.OTHER, "")]),
        ("if ask(): pass", [(UseKind.TESTED, "")]),
        ("return not ask()", [(UseKind.TESTED, "")]),
        ("if self.a and (self.b or ask()): pass", [(UseKind.TESTED, "")]),
        ("return self.a and ask()", [(UseKind.OTHER, "")]),
        ("return ask() is None", [(UseKind.IGNORED, "")]),
        ("return ask() == 1", [(UseKind.OTHER, "")]),
        ("with ask() as r: pass", [(UseKind.OTHER, "")]),
        ("for part in ask(): pass", [(UseKind.OTHER, "")]),
        ("return f'{ask()}'", [(UseKind.OTHER, "")]),
        ("self.r = ask()", [(UseKind.OTHER, "")]),
        ("a, b = ask()", [(UseKind.OTHER, "")]),
        ("return [ask()]", [(UseKind.OTHER, "")]),
        ("r = ask()\ndel r", []),
        ("r = ask()\nreturn r.a, r.b()", [(UseKind.READ, "a"), (UseKind.READ, "b")]),
        ("r = ask()\nr.encoding = 'a'", [(UseKind.SET, "encoding")]),
        ("r = ask()\nr.encoding += 'a'", [(UseKind.SET, "encoding")]),
        ("r: object = ask()\nreturn r.a", [(UseKind.READ, "a")]),
        ("r = s = ask()\nr.a\ns.b", [(UseKind.READ, "a"), (UseKind.READ, "b")]),
        ("r = ask()\ns = r\ns.b", [(UseKind.READ, "b")]),
        ("if (r := ask()).a: r.b", [(UseKind.READ, "a"), (UseKind.READ, "b")]),
        ("r = ask()\nreturn lambda: r.a", [(UseKind.READ, "a")]),
        ("r = ask()\ndef inner():\n    return r", [(UseKind.RETURNED, "")]),
        ("r = ask()\nuse(r=1, a=r)\nself.r", [(UseKind.PASSED, "")]),
        ("global r\nr = ask()", [(UseKind.OTHER, "")]),
    ],
)
def test_uses(body: str, uses: list[tuple[UseKind, str]]) -> None:
    """Each use is told, wherever the value goes by its local names."""
    assert find_uses(body) == uses


def test_at_module_level() -> None:
    """A name of a module may be used by anybody."""
    file = ParsedFile("app.py", "r = ask()\nprint(r.a)\n")
    call = next(call for _, call in file.list_calls())
    assert [use.kind for use in list_uses(file, call)] == [UseKind.OTHER]
