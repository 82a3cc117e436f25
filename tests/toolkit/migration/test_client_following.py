"""Following a client by name through the files of a project."""

import pytest

from flasync.toolkit.migration.client_following import follow_client
from flasync.toolkit.migration.client_uses import ClientUses, Kind
from flasync.toolkit.migration.parsed_file import ParsedFile


def follow(*texts: str) -> ClientUses:
    """What is done with the value of each call of `connect` in files a.py, b.py…"""
    files = [ParsedFile(f"{name}.py", text) for name, text in zip("abc", texts, strict=False)]
    starts = [
        (file, call)
        for file in files
        for _, call in file.list_calls()
        if getattr(call.func, "value", "") == "connect"
    ]
    return follow_client(files, starts)


def list_uses(uses: ClientUses) -> set[tuple[Kind, str]]:
    """Each kind of use with its name."""
    return {(use.kind, use.name) for use in uses.uses}


SAME_FILE = {
    "called at once": ("connect().get(1)", {(Kind.ATTRIBUTE, "get")}),
    "a global": ("c = connect()\n\ndef f():\n    return c.get(1)", {(Kind.ATTRIBUTE, "get")}),
    "a global set in a function": (
        "def f():\n    global c\n    c = connect()\n\ndef g():\n    return c[1]",
        {(Kind.ITEM, "")},
    ),
    "two names": (
        "a = b = connect()\na.one()\nb.two()",
        {(Kind.ATTRIBUTE, "one"), (Kind.ATTRIBUTE, "two")},
    ),
    "set": ("c = connect()\nc.factory = 1", {(Kind.SET, "factory")}),
    "a with statement": (
        "with connect() as c:\n    c.get()",
        {(Kind.WITH, ""), (Kind.ATTRIBUTE, "get")},
    ),
    "closing": (
        "def f():\n    with closing(connect()) as c:\n        c.get()",
        {(Kind.ATTRIBUTE, "get"), (Kind.ATTRIBUTE, "close")},
    ),
    "asked for": (
        "c = connect()\nif c and c is not None:\n    c.get()\ndel c",
        {(Kind.ATTRIBUTE, "get")},
    ),
    "either": ("c = other or connect()\nc.get()", {(Kind.ATTRIBUTE, "get")}),
    "iterated": ("c = connect()\nfor x in c:\n    x.y", {(Kind.ITERATED, "")}),
    "returned": (
        "def f():\n    return connect()\n\ndef g():\n    f().get()\n    c = f()\n    c.set()",
        {(Kind.ATTRIBUTE, "get"), (Kind.ATTRIBUTE, "set")},
    ),
    "a property": (
        "class A:\n    @property\n    def c(self):\n        return connect()\n\nA().c.get()",
        {(Kind.ATTRIBUTE, "get")},
    ),
    "of self": (
        "class A:\n    def __init__(self):\n        self._c = connect()\n"
        "    def f(self):\n        self._c.get()",
        {(Kind.ATTRIBUTE, "get")},
    ),
    "of g": (
        "def f():\n    if 'c' not in g:\n        g.c = connect()\n    return g.c\n\n"
        "def g():\n    c = g.pop('c', None)\n    c.close()\n    f().get()",
        {(Kind.ATTRIBUTE, "close"), (Kind.ATTRIBUTE, "get")},
    ),
    "of a class": ("class A:\n    c = connect()\n\nA.c.get()", {(Kind.ATTRIBUTE, "get")}),
    "a parameter": (
        "def f(x, c, *, d=None):\n    c.get()\n    d.set()\n\nc = connect()\nf(1, c)\nf(1, 2, d=c)",
        {(Kind.ATTRIBUTE, "get"), (Kind.ATTRIBUTE, "set")},
    ),
    "a parameter of a class": (
        "class A:\n    def __init__(self, c):\n        self.d = c\n"
        "    def f(self):\n        self.d.get()\n\nA(connect())",
        {(Kind.ATTRIBUTE, "get")},
    ),
    "a callback": (
        "def run(f, x):\n    return f(connect())\n\ndef read(c):\n    c.get()\n\n"
        "run(read, 1)\nrun(lambda c: c.set(), 1)",
        {(Kind.ATTRIBUTE, "get"), (Kind.ATTRIBUTE, "set")},
    ),
    "a callback of a method": (
        "class A:\n    def run(self, f):\n        return f(connect())\n\n"
        "    def read(self):\n        self.run(f=lambda c: c[1])",
        {(Kind.ITEM, "")},
    ),
    "an unknown callback": (
        "def run(f):\n    return f(connect())\n\nrun(shop.read)",
        {(Kind.LOST, "")},
    ),
    "given away": ("Queue(connection=connect())", {(Kind.PASSED, "Queue")}),
    "given to a class": ("isinstance(connect(), A)", {(Kind.PASSED, "isinstance")}),
    "in a list": ("c = [connect()]", {(Kind.LOST, "")}),
    "as a setting": ("app.config['C'] = connect()", {(Kind.LOST, "")}),
    "yielded": ("def f():\n    yield connect()", {(Kind.LOST, "")}),
    "a default": ("c = connect()\n\ndef f(d=c):\n    d.get()", {(Kind.LOST, "")}),
    "looked for in it": ("c = connect()\n1 in c", {(Kind.LOST, "")}),
    "a function passed on": (
        "def f():\n    return connect()\n\nc = LocalProxy(f)",
        {(Kind.LOST, "f")},
    ),
    "a decorated function": ("@register\ndef f():\n    return connect()", {(Kind.LOST, "")}),
    "another variable": (
        "def f():\n    c = connect()\n    c.get()\n\ndef g():\n    c = other()\n    return c[1]",
        {(Kind.ATTRIBUTE, "get")},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "uses"), SAME_FILE.values(), ids=SAME_FILE)
def test_same_file(text: str, uses: set[tuple[Kind, str]]) -> None:
    """Each use in the file of the client is found, and none of another value."""
    assert list_uses(follow(text)) == uses


@pytest.mark.parametrize(
    "user",
    [
        "from a import c\nc.get()",
        "from .a import c as client\nclient.get()",
        "import a\na.c.get()",
        "from shop import a\na.c.get()",
        "from a import *\nc.get()",
    ],
)
def test_other_files(user: str) -> None:
    """A client of another module is found under each name that the module is imported by."""
    assert list_uses(follow("c = connect()", user)) == {(Kind.ATTRIBUTE, "get")}


def test_functions_of_other_files() -> None:
    """Who calls a function of another module has its client, and what it is named there."""
    maker = "def get_db():\n    g.db = connect()\n    return g.db\n"
    user = (
        "from a import get_db as get\n\ndef f():\n    db = get()\n    db.one()\n    with db: pass\n"
    )
    other = "import a\n\ndef g():\n    a.get_db().two()\n"
    assert list_uses(follow(maker, user, other)) == {
        (Kind.ATTRIBUTE, "one"),
        (Kind.WITH, ""),
        (Kind.ATTRIBUTE, "two"),
    }


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("c = connect()", True),
        ("class A:\n    c = connect()", True),
        ("class A:\n    def __init__(self):\n        self.c = connect()", True),
        ("@lru_cache\ndef f():\n    return connect()", True),
        ("def f():\n    return connect()\n\nc = f()", True),
        ("def f():\n    c = connect()\n    c.get()", False),
        ("def f():\n    g.c = connect()", False),
        ("def f():\n    return connect()\n\ndef h():\n    f().get()", False),
    ],
)
def test_is_kept(text: str, is_kept: bool) -> None:
    """A client is kept when it outlives the function that makes it, and the request."""
    assert follow(text).is_kept is is_kept


def test_list_calls() -> None:
    """The calls of a method are told from the method that is only named."""
    uses = follow("c = connect()\nc.lock('a')\nf = c.lock")
    assert [file.locate(call).start for file, call in uses.list_calls("lock")] == [(2, 1)]
