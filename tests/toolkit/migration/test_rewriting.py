"""The new text of a file: what changes, and that nothing else does."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest
from libcst import matchers

from flasync.toolkit.finding import Edit
from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Colour,
    FunctionChange,
    Safety,
    Span,
    TextChange,
)
from flasync.toolkit.migration.recipe import LeaveAlone, Recipe, Scene, Twin
from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.migration.rewriting import RenderError, render
from toolkit.migration.stripped_trees import parse_stripped

ROOT = Path(__file__).parents[3]
SOURCES = sorted(
    path
    for folder in ("examples/bookshop", "src/flasync", "tests/toolkit/migration")
    for path in (ROOT / folder).rglob("*.py")
    if path.stat().st_size < 15_000
)


def build_change(span: Span, way: Way, recipe: str = "", name: str = "wait") -> CallChange:
    """The change of a call."""
    return CallChange(span, name, way, recipe, Safety.SAFE, "")


def list_changes(file: ParsedFile) -> Iterator[Change]:
    """The changes that a small file asks for by the names in it.

    Calls of `off…` go to a thread, those of `aw…` are awaited, those of `time.sleep` have a recipe;
    functions `a…` become async, functions `loop…` are marked.
    """
    for span, call in file.list_calls():
        code = file.module.code_for_node(call.func)
        if code.startswith("off"):
            yield build_change(span, Way.OFFLOAD)
        elif code.startswith("aw"):
            yield build_change(span, Way.REWRITE)
        elif code == "time.sleep":
            yield build_change(span, Way.REWRITE, "time-sleep", "time.sleep")
    for span, function in file.list_functions():
        if function.name.value.startswith("a"):
            yield FunctionChange(span, function.name.value, Colour.ASYNC, "")
        elif function.name.value.startswith("loop"):
            yield FunctionChange(span, function.name.value, Colour.ON_LOOP, "")


def rewrite(text: str) -> str:
    """A file after the changes that it asks for by its names."""
    file = ParsedFile("app.py", text)
    return render(file, list(list_changes(file)), load_recipes())


def rewrite_body(body: str, signature: str = "def a():") -> str:
    """The last lines of a function after the changes, dedented, without the imports."""
    text = rewrite(f"{signature}\n    {body}\n")
    return text.partition(signature.partition("(")[0] + "(")[2].partition("\n    ")[2].rstrip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("aw(1)", "await aw(1)"),
        ("off()", "await run_sync(off)"),
        ("off(1, *a, b=2, **c)", "await run_sync(off, 1, *a, b=2, **c)"),
        ("off(x for x in y)", "await run_sync(off, (x for x in y))"),
        ("off((x for x in y))", "await run_sync(off, (x for x in y))"),
        ("off.a[0].b(1)", "await run_sync(off.a[0].b, 1)"),
        ("off(1)(2)", "await run_sync(await run_sync(off, 1), 2)"),
        ("off(aw(off(1)), 2)", "await run_sync(off, await aw(await run_sync(off, 1)), 2)"),
        ("x = off(1).y", "x = (await run_sync(off, 1)).y"),
        ("off(1)[0]", "(await run_sync(off, 1))[0]"),
        ("x[off(1)]", "x[await run_sync(off, 1)]"),
        ("aw()()", "await (await aw())()"),
        ("x = aw() ** -aw()", "x = await aw() ** -await aw()"),
        ("x = not aw() or aw() < aw()", "x = not await aw() or await aw() < await aw()"),
        ("x = (aw())", "x = (await aw())"),
        (
            "x = (  # one\n        aw()  # two\n    ).y",
            "x = (  # one\n        await aw()  # two\n    ).y",
        ),
        ("return(aw())", "return(await aw())"),
        ('return"a".join(aw())', 'return"a".join(await aw())'),
        ("print(*aw(), **aw())", "print(*await aw(), **await aw())"),
        ("del aw().x, aw()[0]", "del (await aw()).x, (await aw())[0]"),
        ("aw().x += aw()", "(await aw()).x += await aw()"),
        (
            "x = f'{aw()!r:>{aw()}} {aw().x}'",
            "x = f'{await aw()!r:>{await aw()}} {(await aw()).x}'",
        ),
        (
            "x = [aw(y) for y in aw() if aw()]",
            "x = [await aw(y) for y in await aw() if await aw()]",
        ),
        (
            "x = {aw(): [aw() for _ in y] for y in z}",
            "x = {await aw(): [await aw() for _ in y] for y in z}",
        ),
        (
            "x = (aw(y) for y in aw() if aw())",
            "x = (await_(aw(y)) for y in await aw() if await_(aw()))",
        ),
        (
            "x = ([aw()] for y in z for u in aw())",
            "x = ([await_(aw())] for y in z for u in await_(aw()))",
        ),
        ("x = lambda y=aw(): aw(y)", "x = lambda y=await aw(): await_(aw(y))"),
        ("x: off() = aw()", "x: call_in_thread(off) = await aw()"),
        ("with aw() as x, off(): pass", "with await aw() as x, await run_sync(off): pass"),
        ("for x in aw(): pass", "for x in await aw(): pass"),
        ("assert aw(), aw()", "assert await aw(), await aw()"),
        ("x = y if aw() else aw()", "x = y if await aw() else await aw()"),
        ("if (x := aw()): pass", "if (x := await aw()): pass"),
        ("time.sleep(aw())", "await asyncio.sleep(await aw())"),
        ("off(  # why\n        1, 2)", "await run_sync(  # why\n        off,\n        1, 2)"),
        ("off(\n        1, b=2\n    )", "await run_sync(\n        off, 1, b=2\n    )"),
        (
            "off(\n        1,\n        2,\n    )",
            "await run_sync(\n        off,\n        1,\n        2,\n    )",
        ),
        ("off(  # nothing\n    )", "await run_sync(off  # nothing\n    )"),
    ],
)
def test_expressions(before: str, after: str) -> None:
    """What is awaited keeps its form; parentheses come where the grammar wants them."""
    assert rewrite_body(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return aw(1).x", "return await_(aw(1)).x"),
        ("return off(1).x", "return call_in_thread(off, 1).x"),
        ("return (off()), [aw()]", "return (call_in_thread(off)), [await_(aw())]"),
        ("time.sleep(off())", "await_(asyncio.sleep(call_in_thread(off)))"),
    ],
)
def test_sync_functions(before: str, after: str) -> None:
    """In a function that stays sync, coroutines are awaited by `await_`, others called in place."""
    assert rewrite_body(before, "def view():") == after


@pytest.mark.parametrize("name", ["await_", "run_sync", "call_in_thread", "on_loop"])
def test_taken_name(name: str) -> None:
    """Where a name of flasync means something else, it is written with its module."""
    head = f"{name} = None\n\n\n"
    after = rewrite(f"{head}def loop():\n    return aw(), off()\n\n\nasync def b():\n    off()\n")
    assert f"flasync.{name}" in after
    assert "import flasync\n" in after
    assert head in after


def test_functions() -> None:
    """`async` and the mark go directly to the `def`; decorators and comments stay."""
    assert (
        rewrite(
            """\
from flask import Flask

app = Flask(__name__)


# Above.
@app.get("/", defaults={"x": off()})
# Between.
def a(x=off()) -> off():  # Beside.
    class Inner(off()):
        x = off()

        @off()
        def loop(self): return off()


@app.get("/loop")
# Between.
def loop_it():
    pass


def loop_plain(): pass
"""
        )
        == """\
from flask import Flask
from flasync import call_in_thread, on_loop, run_sync

app = Flask(__name__)


# Above.
@app.get("/", defaults={"x": call_in_thread(off)})
# Between.
async def a(x=call_in_thread(off)) -> call_in_thread(off):  # Beside.
    class Inner(await run_sync(off)):
        x = call_in_thread(off)

        @call_in_thread(off)
        @on_loop
        def loop(self): return call_in_thread(off)


@app.get("/loop")
@on_loop
# Between.
def loop_it():
    pass


@on_loop
def loop_plain(): pass
"""
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_bytes_stay(end: str, mark: str) -> None:
    """Line ends, tabs, form feeds, a byte order mark and odd spaces stay as they were."""
    lines = [
        "# -*- coding: utf-8 -*-",
        "import  os",
        "\f",
        "def a( x ):",
        "\tü = 'é',os ;aw( x )\\",
        "\t",
        "x=1",
    ]
    after = rewrite(mark + end.join(lines))
    lines[3] = "async def a( x ):"
    lines[4] = "\tü = 'é',os ;await aw( x )\\"
    assert after == mark + end.join(lines)


def test_no_change() -> None:
    """A file without changes, or with those of other files, is its text."""
    text = "x = off( )\r\n\t"
    file = ParsedFile("app.py", text)
    other = build_change(Span("other.py", (1, 5), (1, 11)), Way.OFFLOAD)
    assert render(file, [], {}) is text
    assert render(file, [other], {}) is text


def test_imports_of_a_package() -> None:
    """In an `__init__.py`, what others may import from it stays, without use of its own."""
    text = "import time\nfrom time import sleep\n\n\nasync def b():\n    {}\n"
    for name, head in (
        ("shop/__init__.py", "import asyncio\nfrom time import sleep\n"),
        ("shop/views.py", "import asyncio\n"),
    ):
        file = ParsedFile(name, text.format("time.sleep(0), sleep(1)"))
        changes = [
            build_change(span, Way.REWRITE, "time-sleep", "time.sleep")
            for span, _ in file.list_calls()
        ]
        after = render(file, changes, load_recipes())
        body = text.partition("sleep\n")[2]
        assert after == head + body.format("await asyncio.sleep(0), await asyncio.sleep(1)")


def build_edit(start: tuple[int, int], end: tuple[int, int], text: str) -> TextChange:
    """The change of a stretch of text."""
    return TextChange(Edit("app.py", start, end, text), Safety.SAFE, "")


def test_edits_and_calls() -> None:
    """Edits before, in and after a changed call, and on its line, leave it its place."""
    text = "from flask import Flask\nx = 'é'; y = off('url', 1); z = 'old'\nasync def b(): off(2)\n"
    file = ParsedFile("app.py", text)
    edits = [
        build_edit((1, 6), (1, 11), "flasync"),
        build_edit((2, 1), (2, 1), "# New.\n# Lines.\n"),
        build_edit((2, 5), (2, 8), "'longer'"),
        build_edit((2, 18), (2, 23), "'async+url'"),
        build_edit((2, 14), (2, 14), "1 + "),
        build_edit((2, 33), (2, 38), "'new'"),
    ]
    after = render(file, [*list_changes(file), *edits], {})
    assert after == (
        "from flasync import Flask, call_in_thread, run_sync\n# New.\n# Lines.\n"
        "x = 'longer'; y = 1 + call_in_thread(off, 'async+url', 1); z = 'new'\n"
        "async def b(): await run_sync(off, 2)\n"
    )
    assert render(file, [*reversed(edits), *list_changes(file)], {}) == after


@pytest.mark.parametrize(
    "change",
    [
        build_edit((1, 1), (1, 7), "x"),
        build_edit((1, 4), (1, 9), "x"),
        build_edit((1, 5), (1, 11), "x"),
        build_edit((1, 5), (1, 6), "f("),
        build_edit((9, 1), (9, 1), "x"),
        build_change(Span("app.py", (1, 5), (1, 10)), Way.OFFLOAD),
        build_change(Span("app.py", (1, 5), (1, 11)), Way.REWRITE),
        build_change(Span("app.py", (1, 9), (1, 10)), Way.REWRITE, "unknown"),
        FunctionChange(Span("app.py", (1, 5), (1, 11)), "off", Colour.ASYNC, ""),
    ],
)
def test_contradictions(change: Change) -> None:
    """Changes that cut one another, or that do not fit the file, are an error that names it."""
    file = ParsedFile("app.py", "x = off(1)\n")
    call = build_change(Span("app.py", (1, 5), (1, 11)), Way.OFFLOAD)
    with pytest.raises(RenderError, match=r"app\.py"):
        render(file, [call, change], {})


class Swapping(Recipe):
    """A recipe for these tests: it moves, drops, replaces and removes."""

    names = ()

    def build(self, scene: Scene) -> Twin:
        """What the name of the call says."""
        first = scene.call.args[0].value
        match scene.name:
            case "moved":
                return Twin(cst.Call(cst.Attribute(first, cst.Name("get"))))
            case "dropped":
                return Twin(cst.Name("nothing"))
            case "sum":
                return Twin(cst.BinaryOperation(first, cst.Add(), first))
            case "replaced":
                (handler,) = matchers.findall(scene.file.module, matchers.ExceptHandler())
                assert isinstance(handler, cst.ExceptHandler)
                assert handler.type is not None
                return Twin(first, replacements=((handler.type, cst.Name("Other")),))
            case "removed":
                (line,) = matchers.findall(
                    scene.file.module,
                    matchers.SimpleStatementLine([matchers.Expr(matchers.Name("gone"))]),
                )
                assert isinstance(line, cst.SimpleStatementLine)
                return Twin(first, removed=(line,))
        raise LeaveAlone(scene.name)


def swap(text: str, name: str, way: Way = Way.REWRITE) -> str:
    """A file after `Swapping` has changed the calls of `call`; those of `off` go to a thread."""
    file = ParsedFile("app.py", text)
    changes = [
        build_change(span, way, "swapping", name)
        if matchers.matches(call.func, matchers.Name("call"))
        else build_change(span, Way.OFFLOAD)
        for span, call in file.list_calls()
        if matchers.matches(call.func, matchers.Name("call") | matchers.Name("off"))
    ]
    return render(file, changes, {"swapping": Swapping()})


def test_recipe_moves_an_argument() -> None:
    """A changed call in an argument finds its place wherever the recipe puts the argument."""
    after = swap("async def b():\n    call(off(1))\n", "moved")
    assert after.endswith("    await (await run_sync(off, 1)).get()\n")


def test_recipe_of_a_client() -> None:
    """What a recipe of a client gives is awaited nowhere, and fits where it stands."""
    assert swap("x = (call(1)).y\n", "sum", Way.BRIDGE) == "x = (1 + 1).y\n"
    assert swap("x = call(1).y\n", "sum", Way.BRIDGE) == "x = (1 + 1).y\n"
    assert swap("async def b(): call(1)\n", "sum") == "async def b(): await (1 + 1)\n"


def test_recipe_drops_an_argument() -> None:
    """A recipe that loses a call that is to be changed is an error."""
    with pytest.raises(RenderError, match="lost"):
        swap("call(off(1))\n", "dropped")


def test_recipe_leaves_alone_what_was_planned() -> None:
    """A recipe that takes back what it said is an error with its reason."""
    with pytest.raises(RenderError, match="for a reason"):
        swap("call(1)\n", "for a reason")


def test_recipe_replaces_and_removes() -> None:
    """Other expressions change with a call, once for several calls; lines go, comments stay."""
    text = "async def b():\n    try:\n        call(x), call(x)\n    except Error:\n        raise\n"
    assert swap(text, "replaced") == text.replace("call(x)", "await x").replace("Error", "Other")
    text = "async def b():\n    # Above.\n    gone  # beside\n    call(x)\n"
    assert swap(text, "removed") == "async def b():\n    # Above.\n    await x\n"
    text = "call(x)\nif x:\n    # Above.\n    gone\n"
    assert swap(text, "removed", Way.BRIDGE) == "x\nif x:\n    pass\n    # Above.\n"


def choose_changes(file: ParsedFile, chance: random.Random) -> list[Change]:
    """Some calls are awaited or go to a thread, some functions become async or are marked."""
    share = chance.choice([0.1, 0.5, 1])
    changes: list[Change] = [
        build_change(span, chance.choice([Way.OFFLOAD, Way.REWRITE]))
        for span, _ in file.list_calls()
        if chance.random() < share
    ]
    for span, function in file.list_functions():
        is_generator = bool(matchers.findall(function, matchers.Yield()))
        colour = chance.choice([Colour.ASYNC, Colour.ON_LOOP, None])
        if colour is not None and not (is_generator and colour is Colour.ASYNC):
            changes.append(FunctionChange(span, function.name.value, colour, ""))
    chance.shuffle(changes)
    return changes


@pytest.mark.parametrize("path", random.Random(5).sample(SOURCES, 12), ids=lambda path: path.name)
def test_real_files(path: Path) -> None:
    """Whatever is changed in a real file, all else stays, and undoing it gives the text back."""
    text = path.read_text(encoding="utf-8")
    file = ParsedFile(path.name, text)
    for seed in range(2):
        after = render(file, choose_changes(file, random.Random(seed)), {})
        assert parse_stripped(after) == parse_stripped(text)
        assert re.findall(r"#.*", after) == re.findall(r"#.*", text)
    assert render(file, [], {}) == text
