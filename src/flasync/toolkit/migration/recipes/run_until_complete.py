"""`new_event_loop().run_until_complete(coroutine)` becomes the coroutine, awaited."""

from __future__ import annotations

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.own_loops import EXAMPLE_APP, check_shareable
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin
from flasync.toolkit.migration.sole_argument import unwrap

# Which loop it runs on, and how sure it is that nothing else lives on that loop.
_LOOPS = {
    "asyncio.new_event_loop": Safety.SAFE,
    "asyncio.get_event_loop": Safety.UNSAFE,
}
_SETTER = matchers.Name("set_event_loop")
# What they give belongs to the loop that they are called on.
_OF_THEIR_LOOP = frozenset({"create_future", "create_task", "run_in_executor"})


class RunUntilComplete(Recipe):
    """Awaits what `run_until_complete` ran on another event loop."""

    name = "run-until-complete"
    title = "loop.run_until_complete"
    of_loop = True
    names = ("asyncio.AbstractEventLoop.run_until_complete",)

    page = RecipePage(
        what=(
            "Replaces `loop.run_until_complete(fetch())` by `await fetch()`, and takes out the"
            " lines that make, set and close the loop."
        ),
        meaning=(
            "The result and the exception are those of the coroutine. It runs on the loop of the"
            " process. What the argument itself makes, such as the future of"
            " `asyncio.gather(…)`, then belongs to that loop as well; where no loop runs, in code"
            " that stays sync, only the call of an `async def` of the same file is replaced."
        ),
        safety=(
            "Safe for a new loop that runs nothing else. Unsafe for `asyncio.get_event_loop()`:"
            " that loop lasts, and a client that another call has opened on it could not be used on"
            " the loop of the process. Nothing is done for a loop that comes from elsewhere or is"
            " used for other things as well; where a block would be empty without the lines about"
            " the loop, such as a `finally` that closes it; and for a task or future made before,"
            " which belongs to its loop."
        ),
        references=(
            (
                "loop.run_until_complete",
                "https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_until_complete",
            ),
        ),
    )

    changed = (
        Case(
            "on a new loop",
            EXAMPLE_APP
            + """

@app.get("/")
async def index():
    return asyncio.new_event_loop().run_until_complete(fetch(1))
""",
            EXAMPLE_APP
            + """

@app.get("/")
async def index():
    return await fetch(1)
""",
        ),
        Case(
            "on a loop with a name",
            EXAMPLE_APP
            + """

async def index():
    # Neither of them needs the other.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    result = loop.run_until_complete(fetch(1))

    loop.close()
    return result  # a text
""",
            EXAMPLE_APP
            + """

async def index():
    # Neither of them needs the other.
    result = await fetch(1)

    return result  # a text
""",
        ),
        Case(
            "on the current loop, over several lines",
            EXAMPLE_APP
            + """

async def index():
    # Both at once.
    return asyncio.get_event_loop().run_until_complete(
        asyncio.gather(fetch(1), fetch(2))  # in this order
    )
""",
            EXAMPLE_APP
            + """

async def index():
    # Both at once.
    return await (
        asyncio.gather(fetch(1), fetch(2))  # in this order
    )
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "a loop that a block closes",
                EXAMPLE_APP
                + """

async def index():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(fetch(1))
    finally:
        loop.close()
""",
            ),
            (
                "a loop that is used for more",
                EXAMPLE_APP
                + """

async def index():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(fetch(1))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def search(debug):
    loop = asyncio.new_event_loop()
    loop.set_debug(debug)
    return loop.run_until_complete(fetch(1))


async def list_prices():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    prices = loop.run_until_complete(fetch(1))
    asyncio.set_event_loop(None)
    return prices
""",
            ),
            (
                "a loop that has a comment",
                EXAMPLE_APP
                + """

async def index():
    loop = asyncio.new_event_loop()  # one for each request
    return loop.run_until_complete(fetch(1))
""",
            ),
            (
                "a loop from elsewhere",
                EXAMPLE_APP
                + """

loop = asyncio.new_event_loop()


async def index():
    return loop.run_until_complete(fetch(1))


async def search(loop=None):
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(fetch(1))
""",
            ),
            (
                "a task or a future that may belong to the loop",
                EXAMPLE_APP
                + """

loop = asyncio.new_event_loop()


async def index(task):
    asyncio.get_event_loop().run_until_complete(task)
    return asyncio.get_event_loop().run_until_complete(loop.create_task(fetch(1)))
""",
            ),
            (
                "arguments with stars, and outside of functions",
                EXAMPLE_APP
                + """

async def index(arguments):
    return asyncio.new_event_loop().run_until_complete(*arguments)


TITLE = asyncio.new_event_loop().run_until_complete(fetch(1))
""",
            ),
            (
                "a method of that name of another class",
                """\
class Job:
    def run_until_complete(self, text):
        return text


async def index():
    return Job().run_until_complete("done")
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the coroutine, or what else the argument is."""
        given = scene.bind("future")
        if set(given) != {"future"}:
            raise LeaveAlone("it has no argument, or others than its own")
        scene.require_function()
        safety, lines = _judge_loop(scene)
        check_shareable(scene.files)
        waited_for = given["future"].value
        if not isinstance(waited_for, cst.Call) or matchers.matches(
            waited_for.func,
            matchers.Attribute(
                attr=matchers.Name(matchers.MatchIfTrue(_OF_THEIR_LOOP.__contains__))
            ),
        ):
            raise LeaveAlone("what it waits for may belong to its loop")
        return Twin(
            unwrap(scene.call, given["future"]),
            removed=lines,
            needs_loop=not _is_coroutine(scene.file, waited_for),
            safety=safety,
        )


def _judge_loop(scene: Scene) -> tuple[Safety, tuple[cst.SimpleStatementLine, ...]]:
    """Return how sure it is that nothing else lives on a call's loop, and the lines about it."""
    function = scene.call.func
    loop = function.value if isinstance(function, cst.Attribute) else None
    lines: tuple[cst.SimpleStatementLine, ...] = ()
    if isinstance(loop, cst.Name):
        loop, lines = _find_own_loop(scene, loop.value)
    if isinstance(loop, cst.Call) and not loop.args:
        for name in scene.file.name_qualified(loop.func):
            if name in _LOOPS:
                return _LOOPS[name], lines
    raise LeaveAlone("its loop is made elsewhere, and other things may live on it")


def _find_own_loop(
    scene: Scene, name: str
) -> tuple[cst.BaseExpression, tuple[cst.SimpleStatementLine, ...]]:
    """Return what makes a local loop that runs one thing, and the lines that only tend it."""
    file = scene.file
    function = file.find_enclosing(scene.call)
    if not isinstance(function, cst.FunctionDef):
        raise LeaveAlone("its loop is made elsewhere, and other things may live on it")
    if matchers.findall(function.params, matchers.Param(name=matchers.Name(name))):
        raise LeaveAlone(f"`{name}` may come from its caller")
    lines: list[cst.SimpleStatementLine] = []
    for mention in matchers.findall(function.body, matchers.Name(name)):
        if file.get_parent(mention) is scene.call.func:
            continue
        line = _find_line(file, mention)
        if line is None or not _tends(name, line) or file.find_enclosing(line) is not function:
            raise LeaveAlone(f"`{name}` is used for other things as well")
        lines.append(line)
    _check_rest(file, function, lines)
    made = [line.body[0].value for line in lines if isinstance(line.body[0], cst.Assign)]
    if len(made) != 1:
        raise LeaveAlone(f"`{name}` is not made by one line of its function")
    return made[0], tuple(lines)


def _find_line(file: ParsedFile, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
    """Return the line that a node is in; None for what is in the head of a block."""
    above = file.get_parent(node)
    while above is not None and not isinstance(above, cst.BaseStatement):
        above = file.get_parent(above)
    return above if isinstance(above, cst.SimpleStatementLine) else None


def _tends(name: str, line: cst.SimpleStatementLine) -> bool:
    """Return whether all that a line does is make, set or close a loop."""
    loop = matchers.Name(name)
    setter = matchers.Attribute(attr=_SETTER) | _SETTER
    closing = matchers.Call(func=matchers.Attribute(loop, matchers.Name("close")), args=[])
    return any(
        matchers.matches(line, matchers.SimpleStatementLine([statement]))
        for statement in (
            matchers.Assign([matchers.AssignTarget(loop)], matchers.Call(args=[])),
            matchers.Expr(matchers.Call(func=setter, args=[matchers.Arg(loop)])),
            matchers.Expr(closing),
        )
    )


def _check_rest(
    file: ParsedFile, function: cst.FunctionDef, lines: list[cst.SimpleStatementLine]
) -> None:
    """Raise unless a function is whole, and free of event loops, without some of its lines."""
    for line in lines:
        block = file.get_parent(line)
        if isinstance(block, cst.IndentedBlock) and set(block.body) <= set(lines):
            raise LeaveAlone("a block has only lines about its loop")
        if line.trailing_whitespace.comment is not None:
            raise LeaveAlone("a comment about its loop would be lost")
    settings = sum(len(matchers.findall(line, _SETTER)) for line in lines)
    if len(matchers.findall(function.body, _SETTER)) != settings:
        raise LeaveAlone("its function sets another event loop")


def _is_coroutine(file: ParsedFile, call: cst.Call) -> bool:
    """Return whether a call gives a coroutine, which no loop is needed to make."""
    functions = [
        node
        for _, node in file.list_functions()
        if isinstance(call.func, cst.Name) and node.name.value == call.func.value
    ]
    return (
        bool(functions)
        and all(node.asynchronous is not None for node in functions)
        and not any(matchers.findall(argument, matchers.Call()) for argument in call.args)
    )
