"""Which functions a call runs, and where."""

import pytest

from flasync.toolkit.graph import Usage, Where

from .projects import Project

SLOW = "def slow(*args): time.sleep(1)\n"


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("", "slow()"),
        ("alias = slow", "alias()"),
        ("", "functools.partial(slow, 1)()"),
        ("bound = functools.partial(functools.partial(slow))", "bound()"),
        ("class A:\n    def m(self): slow()\nbound = A().m", "bound()"),
        ("class A:\n    def __call__(self): slow()\na = A()", "a()"),
        ("class A:\n    def __call__(self): slow()", "A()()"),
        ("def run(f): f()", "run(slow)"),
        ("", "list(map(slow, [1]))"),
        ("", "(lambda: slow())()"),
        ("", "lambda x=slow(): x"),
        ("", "lambda *, x=slow(): x"),
        ("fs = [lambda: 1, lambda: slow(), lambda: 2]", "fs[1]()"),
        ("cached = functools.lru_cache(slow)", "cached()"),
        ("@functools.wraps(slow)\ndef wrapper(): pass\ninner = wrapper.__wrapped__", "inner()"),
        (
            "def deco(f):\n    @functools.wraps(f)\n    def w(*a): return f(*a)\n    return w\n"
            "decorated = deco(slow)",
            "decorated()",
        ),
        (
            "import wrapt\n@wrapt.decorator\ndef deco(f, i, a, k): pass\ninner = deco(slow)",
            "inner()",
        ),
        (
            "import wrapt\n@wrapt.decorator\ndef deco(f, i, a, k): slow()\ninner = deco(print)",
            "inner()",
        ),
        ("class A:\n    m = slow\n    def __init__(self): self.m()", "A()"),
        ("def inner():\n    def f(): slow()\n    return f", "inner()()"),
    ],
)
def test_runs(project: Project, code: str, view: str) -> None:
    """The function runs through an alias, partial, method, object, callback, lambda, wrapper."""
    assert project.scan_view(SLOW + code, view).blocking == ["time.sleep(…)"]


@pytest.mark.parametrize(
    "view", ["slow", "x = slow", "functools.partial(slow)", "lambda: slow()", "print(slow.x)"]
)
def test_does_not_run(project: Project, view: str) -> None:
    """A function that is only named does not run."""
    assert project.scan_view(SLOW, view).blocking == []


def test_lambdas_on_one_line(project: Project) -> None:
    """Of several lambdas on one line the one that is called is walked."""
    code = "fs = [lambda: time.sleep(1), lambda: open('x'), lambda: 2]"
    assert project.scan_view(code, "fs[0]()").blocking == ["time.sleep(…)"]


def test_threads_are_not_the_requests_own_time(project: Project) -> None:
    """What a thread runs is a target with THREAD, and not followed from the request."""
    view = project.scan_view(SLOW, "import threading\nthreading.Thread(target=slow).start()")
    wheres = {
        where for site in view.sites for target, where in site.targets if target.name == "app.slow"
    }
    assert wheres and Where.HERE not in wheres
    assert view.blocking == []


def test_usage_of_a_result(project: Project) -> None:
    """A call as a statement is discarded, in an await awaited, else used."""
    view = project.scan_view(
        "async def f(): pass\ng = h = f",
        "async def inner():\n    f()\n    await g()\n    return h()\n"
        "import asyncio\nasyncio.run(inner())",
    )
    usages = {site.text: site.usage for site in view.sites}
    assert (usages["f()"], usages["g()"], usages["h()"]) == (
        Usage.DISCARDED,
        Usage.AWAITED,
        Usage.USED,
    )


def test_unknown_calls_are_noted(project: Project) -> None:
    """A call of what is not known is unresolved; methods of plain values are not."""
    view = project.scan_view("", "nothing.at.all()\nunknown()\nabsent().strip()")
    assert sorted(view.unresolved) == ["absent()", "nothing.at.all()", "unknown()"]


def test_code_without_source(project: Project) -> None:
    """Functions made by `exec`, of other lines, or of a file that is gone, are passed over."""
    project.write("changed.py", "\n\ndef f(x):\n    time.sleep(1)\n")
    project.write("gone.py", "def f(x):\n    time.sleep(1)\n")
    code = """
    import changed, gone, pathlib
    space = {}
    exec("def made():\\n    import time\\n    time.sleep(1)", space)
    made = space["made"]
    moved = made.__code__.replace(co_firstlineno=9999, co_filename=__file__)
    nowhere = made.__code__.replace(co_filename="a\\0b")
    def first(): pass
    def second(): pass
    first.__code__, second.__code__ = moved, nowhere
    pathlib.Path(changed.__file__).write_bytes(b"\\0\\xff")
    pathlib.Path(gone.__file__).unlink()
    """
    view = project.scan_view(code, "made(); first(); second(); changed.f(1); gone.f(1)")
    assert view.blocking == []
