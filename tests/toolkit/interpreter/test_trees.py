"""What a function's tree shows by itself."""

import ast
import textwrap

import pytest

from flasync.toolkit.interpreter.trees import Facts, list_decorator_names, read_facts


def parse(text: str) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(text)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def read(text: str) -> Facts:
    return read_facts(parse(text))


def test_local_names() -> None:
    """Every way of assigning a name counts, those of inner scopes and globals do not."""
    facts = read(
        """
        def f(a, *b, c=1, **d):
            global gone
            gone = e = 1
            import g.h, i as j
            from k import l as m
            for n, [o, *p] in a: q: int = 1
            with a as r: pass
            try: pass
            except E as s: pass
            match a:
                case {'k': t}: pass
                case [*v] as w: pass
            def x(inner): hidden = 1
            class y: member = 1
            (z := [only for only in a if (walrus := only)])
            lambda unseen: 1
        """
    )
    assert sorted(facts.local_names) == [*"abcdegjmnopqrstvw", "walrus", *"xyz"]


@pytest.mark.parametrize(
    ("body", "is_generator"),
    [
        ("yield", True),
        ("x = yield from a", True),
        ("lambda: (yield)", False),
        ("def g(): yield", False),
        ("return 1", False),
    ],
)
def test_generators(body: str, is_generator: bool) -> None:
    """A function is a generator by a `yield` of its own."""
    assert read(f"def f():\n    {body}").is_generator is is_generator


def test_assigned_attributes() -> None:
    """The attributes given to the first parameter are listed, whatever its name, nested too."""
    facts = read("def f(me, other):\n    me.a = me.b.c = other.d = 1\n    def g(): me.e = 2")
    assert facts.assigned == {"a", "e"}
    assert read("def f(): x.a = 1").assigned == frozenset()


def test_decorator_names() -> None:
    """The last name of each decorator that is a name; a lambda has none."""
    tree = parse("@a.b\n@c\n@d()\ndef f(): pass")
    assert {"b", "c"} <= list_decorator_names(tree)
    lambda_tree = ast.parse("lambda: 1", mode="eval").body
    assert isinstance(lambda_tree, ast.Lambda)
    assert list_decorator_names(lambda_tree) == frozenset()
