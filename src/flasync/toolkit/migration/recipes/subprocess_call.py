"""`subprocess.call([…])` becomes a process of asyncio's, whose end is awaited."""

from __future__ import annotations

import libcst as cst
from libcst import matchers

from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.recipe import Case, LeaveAlone, Recipe, RecipePage, Scene, Twin

# What has no counterpart that is one expression, by function or by option.
_NOT_ONE_EXPRESSION = {
    "subprocess.check_call": "asyncio raises no `CalledProcessError`",
    "subprocess.check_output": "asyncio raises no `CalledProcessError`",
    "capture_output": "asyncio gives its output in another way",
    "check": "asyncio raises no `CalledProcessError`",
    "encoding": "asyncio reads bytes alone",
    "errors": "asyncio reads bytes alone",
    "input": "asyncio gives its output in another way",
    "text": "asyncio reads bytes alone",
    "timeout": "asyncio's process has no timeout that kills it",
    "universal_newlines": "asyncio reads bytes alone",
}
_OPTIONS = frozenset({"cwd", "env", "shell", "start_new_session", "stderr", "stdin", "stdout"})
_STREAMS = frozenset({"stderr", "stdin", "stdout"})
_NO_PIPES = frozenset({"subprocess.DEVNULL", "subprocess.STDOUT"})
_COMMAND = frozenset({"args", "command"})

_APP = """\
import subprocess

from flask import Flask

app = Flask(__name__)
"""
_APP_WITHOUT = _APP.replace("import subprocess", "import asyncio")


class SubprocessCall(Recipe):
    """Awaits the end of a program of which only the return code is wanted."""

    name = "subprocess-call"
    title = "subprocess.call and subprocess.run"
    names = (
        "os.system",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.run",
    )

    page = RecipePage(
        what=(
            'Replaces `subprocess.call(["git", "gc"])` by `await (await'
            ' asyncio.create_subprocess_exec("git", "gc")).wait()`, and likewise `subprocess.run`'
            " and `os.system` where nothing is done with what they return."
        ),
        meaning=(
            "The program gets the same arguments, environment and streams; the return code is the"
            " same, also after a signal, and so is the class and number of the error when it cannot"
            " be started. On uvloop that error does not name the file, and an argument ends at a"
            " NUL character, at which `subprocess` raises `ValueError`. When the request is"
            " cancelled, the program goes on."
        ),
        safety=(
            "Safe for arguments that are all literals, unsafe for others. Nothing is done where"
            " asyncio's process would need more than one expression to do the same: `check`,"
            " `timeout`, `text`, `input`, captured output, `check_call` and `check_output`. Such a"
            " call goes to the request's thread, `await run_sync(subprocess.run, …)`, where all of"
            " it works as it is. Nor is anything done with arguments that are no list or tuple as"
            " written, and with streams that may be pipes."
        ),
        references=(
            (
                "asyncio.create_subprocess_exec",
                "https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.create_subprocess_exec",
            ),
        ),
    )

    changed = (
        Case(
            "the return code",
            _APP
            + """

@app.get("/")
async def index():
    # The short one.
    return subprocess.call(["git", "gc"], cwd="/tmp")  # a number
""",
            _APP_WITHOUT
            + """

@app.get("/")
async def index():
    # The short one.
    return await (await asyncio.create_subprocess_exec("git", "gc", cwd="/tmp")).wait()  # a number
""",
        ),
        Case(
            "a statement, over several lines",
            _APP
            + """

async def index(path, options):
    subprocess.run(
        [
            "git",
            "gc",  # tidy up
            *options,
        ],
        stderr=subprocess.DEVNULL,
    )
    subprocess.run([
        "git",
        path,
    ])
    subprocess.run(("git", path,))
""",
            "import asyncio\n"
            + _APP
            + """

async def index(path, options):
    await (await asyncio.create_subprocess_exec(
            "git",
            "gc",  # tidy up
            *options,
        stderr=subprocess.DEVNULL,
    )).wait()
    await (await asyncio.create_subprocess_exec(
        "git",
        path,
    )).wait()
    await (await asyncio.create_subprocess_exec("git", path,)).wait()
""",
        ),
        Case(
            "a command for the shell",
            """\
from os import system
from subprocess import call


async def index():
    system("git gc | wc -l")
    return call("git gc | wc -l", shell=True) or call("true", shell=False)
""",
            """\
import asyncio


async def index():
    await (await asyncio.create_subprocess_shell("git gc | wc -l")).wait()
    return await (await asyncio.create_subprocess_shell("git gc | wc -l")).wait() \
or await (await asyncio.create_subprocess_exec("true")).wait()
""",
        ),
    )
    left = tuple(
        Case(title, text, text)
        for title, text in (
            (
                "what asyncio does in another way",
                _APP
                + """

async def index():
    subprocess.run(["git", "gc"], check=True)
    subprocess.run(["git", "gc"], timeout=5)
    subprocess.run(["git", "gc"], capture_output=True, text=True)
    subprocess.check_call(["git", "gc"])
    return subprocess.check_output(["git", "log"])
""",
            ),
            (
                "a result that is used",
                _APP.replace("import subprocess", "import os\nimport subprocess")
                + """

async def index():
    done = subprocess.run(["git", "gc"])
    status = os.system("git gc")
    return [done, status, subprocess.run(["git", "gc"]).returncode]
""",
            ),
            (
                "arguments that may be anything",
                _APP
                + """

async def index(arguments, options):
    subprocess.call(arguments)
    subprocess.call(arguments, shell=True)
    subprocess.call(*arguments)
    subprocess.call(["git", "gc"], **options)
    subprocess.call(["git", "gc"], shell=options)
    return subprocess.call(["git", "gc"], -1)
""",
            ),
            (
                "streams that may be pipes, and other options",
                _APP
                + """

async def index(log):
    subprocess.call(["git", "gc"], stdout=subprocess.PIPE)
    subprocess.call(["git", "gc"], stdout=log)
    return subprocess.call(["git", "gc"], preexec_fn=log.close)
""",
            ),
            (
                "names that mean something else",
                """\
import subprocess


async def index(subprocess):
    return subprocess.call(["git", "gc"])


async def search(asyncio):
    return subprocess.call(["git", "gc"]), asyncio
""",
            ),
            (
                "a comment that would be lost, and outside of functions",
                _APP
                + """

CODE = subprocess.call(["git", "gc"])


async def index():
    return subprocess.call(
        # twice
        ["git", "gc"]
    )
""",
            ),
        )
    )

    def build(self, scene: Scene) -> Twin:
        """Return the wait for the end of the process, which is started at once."""
        given = scene.bind("command" if scene.name == "os.system" else "args")
        for name in (scene.name, *given):
            if name in _NOT_ONE_EXPRESSION:
                raise LeaveAlone(_NOT_ONE_EXPRESSION[name])
        scene.require_function()
        if scene.name != "subprocess.call" and not isinstance(scene.parent, cst.Expr):
            raise LeaveAlone("asyncio's process is another object than what it returns")
        _check_options(scene, given)
        in_shell = scene.name == "os.system" or _is_true(given.get("shell"))
        start, needed = scene.use(
            "asyncio", "create_subprocess_shell" if in_shell else "create_subprocess_exec"
        )
        options = [argument for name, argument in given.items() if name in _OPTIONS - {"shell"}]
        command = next((given[name] for name in _COMMAND & set(given)), None)
        arguments = _list_arguments(command, in_shell=in_shell)
        process = _build_start(scene.call, start, command, arguments, options)
        awaited = cst.Await(process, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        is_literal = all(isinstance(argument.value, cst.SimpleString) for argument in arguments)
        return Twin(
            cst.Call(cst.Attribute(awaited, cst.Name("wait"))),
            (needed,),
            needs_loop=True,
            safety=Safety.SAFE if is_literal else Safety.UNSAFE,
        )


def _check_options(scene: Scene, given: dict[str, cst.Arg]) -> None:
    """Raise for an option that asyncio does not have, or not with the same meaning."""
    for name, argument in given.items():
        if name not in _OPTIONS | _COMMAND:
            raise LeaveAlone(f"asyncio's process may not know its `{name}`")
        if name in _STREAMS and not _NO_PIPES & scene.file.name_qualified(argument.value):
            raise LeaveAlone(f"its `{name}` may be a pipe")
        if name == "shell" and not matchers.matches(
            argument.value, matchers.Name("True") | matchers.Name("False")
        ):
            raise LeaveAlone("it may start a shell or not")


def _is_true(argument: cst.Arg | None) -> bool:
    return argument is not None and matchers.matches(argument.value, matchers.Name("True"))


def _list_arguments(command: cst.Arg | None, *, in_shell: bool) -> list[cst.Arg]:
    """Return the program and its arguments, or the command, as asyncio's functions take them."""
    given = command.value if command is not None else None
    if isinstance(given, cst.SimpleString) or (in_shell and isinstance(given, cst.FormattedString)):
        return [cst.Arg(given)]
    if not isinstance(given, cst.List | cst.Tuple) or in_shell or not given.elements:
        raise LeaveAlone("its arguments are no list as written, and may be anything")
    if isinstance(given.elements[0], cst.StarredElement):
        raise LeaveAlone("its program is not the first thing in its list")
    return [
        cst.Arg(
            element.value,
            comma=element.comma,
            star="*" if isinstance(element, cst.StarredElement) else "",
        )
        for element in given.elements
    ]


def _build_start(
    call: cst.Call,
    start: cst.BaseExpression,
    command: cst.Arg | None,
    arguments: list[cst.Arg],
    options: list[cst.Arg],
) -> cst.Call:
    """Return the call that starts the process, with the line breaks and comments of the other."""
    before = call.whitespace_before_args
    given = command.value if command is not None else None
    *others, last = arguments
    if command is not None and options:
        last = last.with_changes(comma=command.comma)
    elif isinstance(given, cst.List | cst.Tuple):
        last = _close_like(given, last)
    if isinstance(given, cst.List):
        before = given.lbracket.whitespace_after
    elif isinstance(given, cst.Tuple) and given.lpar:
        before = given.lpar[0].whitespace_after
    started = call.with_changes(
        func=start,
        args=[*others, last, *options],
        whitespace_before_args=before,
        lpar=[],
        rpar=[],
    )
    comments = matchers.Comment()
    if len(matchers.findall(started, comments)) != len(matchers.findall(call, comments)):
        raise LeaveAlone("a comment in it would be lost")
    return started


def _close_like(given: cst.List | cst.Tuple, last: cst.Arg) -> cst.Arg:
    """Return the last argument with the line break that is before the end of a list."""
    if isinstance(given, cst.List):
        space = given.rbracket.whitespace_before
    elif given.rpar:
        space = given.rpar[0].whitespace_before
    else:
        return last
    if isinstance(last.comma, cst.Comma):
        return last.with_changes(comma=last.comma.with_changes(whitespace_after=space))
    return last.with_changes(whitespace_after_arg=space)
