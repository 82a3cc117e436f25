"""A scan runs nothing of the app, and nothing in the app makes it fail."""

import os
import socket
import sys
from pathlib import Path

import pytest

from .projects import Project

HOSTILE = """
from witness import note

class Described:
    def __get__(self, obj, cls=None): note("__get__")
    def __set__(self, obj, value): note("__set__")
    def __getattr__(self, name): note(f"__getattr__ of a descriptor: {name}"); raise AttributeError

class Nasty:
    described = Described()
    def __getattr__(self, name): note(f"__getattr__ {name}"); raise AttributeError(name)
    @property
    def __class__(self): note("__class__"); return dict
    @property
    def __dict__(self): note("__dict__"); return {}
    @property
    def price(self): note("property"); return 1
    def __eq__(self, other): note("__eq__"); return True
    def __hash__(self): note("__hash__"); return 1
    def __bool__(self): note("__bool__"); return True
    def __len__(self): note("__len__"); return 1
    def __iter__(self): note("__iter__"); return iter(())
    def __call__(self, *args): note("__call__")
    def __getitem__(self, key): note("__getitem__")
    def __contains__(self, key): note("__contains__")
    def __enter__(self): note("__enter__")
    def __exit__(self, *args): note("__exit__")
    def __str__(self): note("__str__"); return ""
    def __repr__(self): note("__repr__"); return ""
    def __index__(self): note("__index__"); return 1
    def __setattr__(self, name, value): note("__setattr__")

class Meta(type):
    def __getattr__(cls, name): note(f"metaclass __getattr__ {name}"); raise AttributeError(name)
    def __instancecheck__(cls, obj): note("__instancecheck__"); return False
    def __subclasscheck__(cls, other): note("__subclasscheck__"); return False
    def __eq__(cls, other): note("metaclass __eq__"); return cls is other
    def __hash__(cls): note("metaclass __hash__"); return id(cls)
    def __bool__(cls): note("metaclass __bool__"); return True
    def __len__(cls): note("metaclass __len__"); return 0
    def __iter__(cls): note("metaclass __iter__"); return iter(())
    def __call__(cls, *args): note("metaclass __call__"); return type.__call__(cls, *args)
    def __repr__(cls): note("metaclass __repr__"); return ""

class Odd(metaclass=Meta):
    described = Described()
    text: "Odd"
    def load(self): return self.rows
    def __init__(self): self.rows = [1]

class Text(str):
    def __eq__(self, other): note("str __eq__"); return True
    def __hash__(self): note("str __hash__"); return 1

class Rows(list):
    def __iter__(self): note("list __iter__"); return iter(())
    def __len__(self): note("list __len__"); return 0
    def __getitem__(self, key): note("list __getitem__")

class Table(dict):
    def __iter__(self): note("dict __iter__"); return iter(())
    def __len__(self): note("dict __len__"); return 0
    def __getitem__(self, key): note("dict __getitem__")
    def get(self, key): note("dict get")
    def items(self): note("dict items"); return []
    def values(self): note("dict values"); return []

from werkzeug.local import LocalProxy
def find():
    note("the function of a LocalProxy")
nasty, odd, text, rows, table = Nasty(), Odd(), Text("a"), Rows([1]), Table(a=1)
proxy = LocalProxy(find)
"""
TARGETS = ["nasty", "odd", "Odd", "Nasty", "text", "rows", "table", "held['it']", "Holder.it"]
# Each may be wrong for some of the targets at run time; nothing runs.
USES = {
    "attributes": "X.a; X.described.b; X.price; X.text; X.load().c; X.__class__; X.__wrapped__()",
    "calls": "X(); X.a(X); len(X); list(X); str(X); bool(X); print(X); type(X)(); repr(X)",
    "operators": "X[0]; X['a']; X[X]; X + 1; X | 1; X % 1; 1 in X; X == 1; not X; -X",
    "blocks": "with X as a: a.b()\nfor a in X: a.b()\nb, *c = X\nb.d()\nif X: pass",
    "arguments": "flask.g(X, *X, **X); functools.partial(X, 1)(2); time.sleep(X)",
    "containers": "a = {'k': X, **X}\na['k'].b(); a[X].b(); [X][0].b(); [*X]; {X}; (X, X)[1].c()",
    "names": "getattr(X, 'a')(); getattr(flask, X); isinstance(flask, X) and flask.a()",
    "stores": "X.a = X\nX.a.b()\nX[0] = X\nX.a += 1\ndel X.a",
    "errors": "try: pass\nexcept X as error: error.a()\nraise X from X",
    "annotations": "def f(a: X = X) -> X: return a\nf().b()\nc: X = flask\nc.d()",
    "classes": "class A(X): pass\nA().b()\nsuper(X, flask).c()",
    "decorators": "@X\ndef f(): pass\nf()",
    "patterns": (
        "match X:\n    case [a, b]: a.c()\n    case {'k': v}: v.d()\n    case _ as e: e.f()"
    ),
    "templates": (
        "flask.render_template_string('{{ x.a.b() }}{% for y in x %}{{ y.z }}{% endfor %}"
        "{{ x[0] }}{{ x|length }}{{ x|map(attribute=y)|list }}', x=X, y=X)"
    ),
    "threads": "import threading\nthreading.Thread(target=X).start(); threading.Lock().acquire(X)",
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("target", [*TARGETS, "proxy"])
def test_runs_nothing(project: Project, use: str, target: str) -> None:
    """No hook of an object of the app is called: no property, `__getattr__`, `__eq__`, metaclass.

    What a `LocalProxy` stands for is found by walking its function.
    """
    project.write("hostile.py", HOSTILE)
    held = "held = {'it': nasty}\nclass Holder:\n    it = nasty\n"
    project.write_app(f"from hostile import *\n{held}", USES[use].replace("X", target))
    project.build()
    assert project.ran == []


def test_modules_with_getattr(project: Project) -> None:
    """A module's own `__getattr__` and `__dir__`, and modules imported late, do not run."""
    lazy = "from witness import note\ndef __getattr__(name): note(name); raise AttributeError(name)"
    project.write("lazy.py", f"{lazy}\ndef __dir__(): note('dir'); return []\n")
    project.write("package/__init__.py", lazy)
    project.write("package/late.py", "open('late', 'w').close()\n")
    late = "from package import late, other; late.a(); other(); import package.late as b; b.c()"
    view = project.scan_view(
        "import lazy, package", f"lazy.a(); lazy.b.c(); package.late.d()\n{late}"
    )
    assert (project.ran, Path("late").exists()) == ([], False)
    assert "package.late" not in sys.modules
    assert view.blocking == []


def test_opens_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan opens no connection, starts no process and writes no file."""
    project.write_app(
        "import redis, sqlite3, subprocess\nclient = redis.Redis()\n",
        """
        client.get("a")
        sqlite3.connect("made.db").execute("SELECT 1")
        subprocess.run(["touch", "made"])
        open("made.txt", "w").write("")
        """,
    )
    app = project.load()
    before = {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}
    seen: list[str] = []

    def watch(event: str, args: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
        if writes or event.split(".", maxsplit=1)[0] in {"socket", "sqlite3", "subprocess"}:
            seen.append(event)

    monkeypatch.setattr(socket, "socket", None)
    _watch(watch, lambda: project.build_from(app))
    after = {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}
    assert (seen, after) == ([], before)


def _watch(watch: object, run: object) -> None:
    """Run something while audit events are watched; a hook cannot be taken away again."""
    active = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if active:
            watch(event, args)  # type: ignore[operator]

    sys.addaudithook(hook)
    try:
        run()  # type: ignore[operator]
    finally:
        active = False


SURVIVED = {
    "functions that call themselves": (
        "def f(x): return f(lambda: f(x)) or f([x])\n"
        "def g(x): return h((x,))\ndef h(x): return g(x)",
        "f(1); g(2)\ndef w(q): return w(lambda: q)\nw(3)",
    ),
    "classes that make themselves": (
        "class A:\n    def m(self): return A().m().m()\n"
        "    @property\n    def p(self): return self.p",
        "A().m().p.p\nclass B:\n    def m(self): return B().m().n().m()\nB().m()",
    ),
    "classes that are their own bases": (
        "",
        "class A: pass\nclass B(A): pass\nA = B\nclass A(B): x = B\n"
        "A().x.y()\nclass C(C, D, 3): pass\nC().z()",
    ),
    "values that grow": (
        "def f(x): return f(functools.partial(f, x))\ndef g(**k): return g(a=k, b=k)",
        "f(f); g(a=1)\nx = ()\n"
        + "x = (x, x, [x])\n" * 40
        + "y = {}\n"
        + "y = {'a': y, 'b': y, **y}\n" * 40,
    ),
    "a deep expression": (
        "class A:\n    def a(self): return self\nx = A()",
        "x" + ".a()" * 800 + "\n" + "f(" * 80 + "1" + ")" * 80,
    ),
    "huge literals": (
        "many = list(range(100_000))",
        f"for i in many: i.x()\nz = {list(range(20_000))}\na, b = many\nz[3].c()",
    ),
    "odd functions": (
        "def f(): pass\nf.__module__ = None\nf.__qualname__ = 'x y'\nf.__wrapped__ = f\n"
        "def g(): pass\ng.__wrapped__ = 3\n"
        "def h(): pass\nh.__defaults__ = (1, 2)\nh.__annotations__ = {'return': h, 'x': []}\n"
        "k = functools.lru_cache(f)\nk.__wrapped__ = k",
        "f(); g(); h(1); k(); functools.lru_cache(k)()",
    ),
    "odd members": (
        "class A:\n    def f(): pass\n    def g(*a): return a[0].f()\n    a = property()\n"
        "    b = classmethod(3)\n    c = staticmethod(None)\n"
        "    d = functools.partialmethod(g, 1)\n"
        "    e = functools.singledispatchmethod(g)\n"
        "    h = property(3)\n    i = time.sleep\na = A()",
        "\n".join(f"a.{name}(); A.{name}(); a.{name}.x[0]" for name in "abcdefghi"),
    ),
    "an own method resolution order": (
        "class M(type):\n    def mro(cls): return [cls, object]\nclass B:\n    def go(self): pass\n"
        "class A(B, metaclass=M):\n    def f(self): self.go(); super().go()",
        "A().f(); A.f(A())",
    ),
    "annotations of all sorts": (
        "from typing import *\nimport typing\nT = TypeVar('T')\nJ = Union[dict[str, 'J'], 'J']\n"
        "def f(a: tuple[()], b: {}, c: 'x y', d: [1], e: Literal['x'], f: 'Type[()]'): ...\n"
        ""
        "def g(a: J, b: Awaitable, c: Callable[..., T], d: Annotated[T, []], e: 'list['): ...\n"
        ""
        "K, L = Awaitable, Coroutine\ndef h(a: K, b: L) -> K: ...",
        "f().x(); g(1)[0].y(); h().z()\na: tuple[()] = f()\na.b()\nc: 'Type[]' = 2",
    ),
    "statements of all sorts": (
        "",
        "a, *b, c = index\n[*b, *index]\n(d, *e), f = [1, 2], 3\n"
        "print(*b, **index)\n"
        "global zz\nzz = 1\n"
        "x: int\nx[0]: int = 3\ndel a, b[0], c.d\nassert a, b\n[y for y in b if (w := y)]\n"
        "match index():\n    case {'a': x, **r}: x()\n"
        "    case flask.Flask(name=n): n()\n"
        "    case None | -1 | 'x': pass\n    case (str() as s) | int(s): s.x()\n"
        "try: pass\nexcept* ValueError as g: g.x()\nlambda a, *b, c=1, **d: (yield)",
    ),
    "its own modules": (
        "import sys\nme = sys.modules[__name__]",
        "me.me.index(); sys.modules[__name__].index(); "
        "globals()['index'](); eval('index()'); __file__.x()",
    ),
}


@pytest.mark.parametrize("name", SURVIVED)
@pytest.mark.parametrize("mode", ["live", "static"])
def test_survives(project: Project, name: str, mode: str) -> None:
    """Code that is recursive, huge or odd is walked to its end, live or from the source."""
    project.write_app(*SURVIVED[name])
    program = project.build() if mode == "live" else project.build_static()
    assert program.entries["GET /"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="The syntax is of Python 3.12")
def test_type_statements(project: Project) -> None:
    """Type parameters and `type` statements are read; a lazy alias is not evaluated."""
    text = """
    type X = list[X]
    type Lazy = note("alias")
    def f[T: int, *Ts, **P](x: T, y: Lazy) -> X: time.sleep(1); return y
    class G[T]:
        type Inner = T
        def m[U](self, u: U) -> T: time.sleep(2); return u
    """
    view = project.scan_view(
        text, "f(1)[0].x(); G[int]().m(1); f'{f(f'{1}')}'; type Y[T] = list[T]"
    )
    assert (set(view.blocking), project.ran) == ({"time.sleep(…)"}, [])
    assert {"app.f", "app.G.m"} <= view.targets


def test_entry_without_a_name(project: Project) -> None:
    """A view that is any callable object is entered through its `__call__`, and not asked."""
    project.write_app(
        """
        class View:
            def __call__(self): time.sleep(1)
            def __getattr__(self, name): note(name); raise AttributeError(name)
        app.before_request(View())
        """,
        "pass",
    )
    program = project.build()
    [(kind, hook), _] = program.entries["GET /"]
    assert (kind, [site.text for site in hook.sites]) == ("before_request", ["time.sleep(…)"])
    assert not [name for name in project.ran if name == "static_value"]


def test_recursion_limit_is_put_back(project: Project) -> None:
    """Python's recursion limit is the same after a scan."""
    before = sys.getrecursionlimit()
    project.scan_view("", "index()")
    assert sys.getrecursionlimit() == before


def test_no_route(project: Project) -> None:
    """An app without a route of its own is a program without functions."""
    project.write_app("")
    assert project.build().functions == []
    assert os.listdir(project.root).count("app.py") == 1
