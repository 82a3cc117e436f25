"""How a file writes a name, and which imports it gets and loses."""

import libcst as cst
import pytest

from flasync.toolkit.migration.imports import (
    Import,
    add_imports,
    choose_spelling,
    prune_imports,
)
from flasync.toolkit.migration.parsed_file import ParsedFile

ASYNCIO = Import("asyncio")
AWAIT = Import("flasync", "await_")
HERE = "\n\ndef view():\n    return here()\n"


def spell(text: str, module: str, name: str | None = None) -> tuple[str, Import] | None:
    """How a file writes a name at its call of `here`, as source, and the import for it."""
    file = ParsedFile("app.py", text)
    (call,) = [
        call
        for _, call in file.list_calls()
        if isinstance(call.func, cst.Name) and call.func.value == "here"
    ]
    spelling = choose_spelling(file, call, module, name)
    return None if spelling is None else (file.module.code_for_node(spelling[0]), spelling[1])


@pytest.mark.parametrize(
    ("imports", "module", "name", "expected"),
    [
        ("", "asyncio", "sleep", ("asyncio.sleep", ASYNCIO)),
        ("import asyncio", "asyncio", "sleep", ("asyncio.sleep", ASYNCIO)),
        (
            "import asyncio as aio",
            "asyncio",
            "sleep",
            ("aio.sleep", Import("asyncio", None, "aio")),
        ),
        ("from asyncio import sleep", "asyncio", "sleep", ("sleep", Import("asyncio", "sleep"))),
        (
            "from asyncio import sleep as nap",
            "asyncio",
            "sleep",
            ("nap", Import("asyncio", "sleep", "nap")),
        ),
        ("", "asyncio", None, ("asyncio", ASYNCIO)),
        ("", "flasync", "await_", ("await_", AWAIT)),
        ("import flasync", "flasync", "await_", ("flasync.await_", Import("flasync"))),
        ("import flasync as f", "flasync", "await_", ("f.await_", Import("flasync", None, "f"))),
        ("from flasync import Flask", "flasync", "await_", ("await_", AWAIT)),
        (
            "",
            "concurrent.futures",
            "wait",
            ("concurrent.futures.wait", Import("concurrent.futures")),
        ),
        (
            "import concurrent.futures.thread",
            "concurrent.futures",
            "wait",
            ("concurrent.futures.wait", Import("concurrent.futures.thread")),
        ),
        (
            "from concurrent import futures",
            "concurrent.futures",
            "wait",
            ("futures.wait", Import("concurrent", "futures")),
        ),
        (
            "from redis import asyncio as aioredis",
            "redis.asyncio",
            "Redis",
            ("aioredis.Redis", Import("redis", "asyncio", "aioredis")),
        ),
        (
            "import redis.asyncio",
            "redis.asyncio",
            "Redis",
            ("redis.asyncio.Redis", Import("redis.asyncio")),
        ),
        ("import redis", "redis.asyncio", None, ("redis.asyncio", Import("redis.asyncio"))),
        ("", "redis.asyncio", "Redis", ("Redis", Import("redis.asyncio", "Redis"))),
        ("", "aiofiles", "open", ("aiofiles.open", Import("aiofiles"))),
        ("from .http import get", ".http", "get", ("get", Import(".http", "get"))),
    ],
)
def test_spelling(
    imports: str, module: str, name: str | None, expected: tuple[str, Import]
) -> None:
    """What is imported is used as it is; the standard library is written with its module."""
    assert spell(imports + HERE, module, name) == expected


@pytest.mark.parametrize(
    "text",
    [
        "asyncio = None" + HERE,
        "def asyncio(): ...\n" + HERE,
        "from anyio import lowlevel as asyncio" + HERE,
        "try:\n    import uvloop as asyncio\nexcept ImportError:\n    import asyncio" + HERE,
        "def view(asyncio):\n    return here()\n",
        "import asyncio\n\ndef view(asyncio):\n    return here()\n",
        "def view():\n    x = here()\n    asyncio = 1\n",
        "def view():\n    import asyncio\n    return here()\n",
        "def view():\n    return [here() for asyncio in range(3)]\n",
        "def view():\n    def inner(asyncio):\n        return lambda: here()\n",
        "def view():\n    global asyncio\n    asyncio = 2\n    return here()\n",
        "class View:\n    asyncio = 2\n    field = here()\n",
        "value = here()\nimport asyncio\n",
    ],
)
def test_spelling_of_a_taken_name(text: str) -> None:
    """A name that means something else, at that place or in the module, is not used."""
    assert spell(text, "asyncio", "sleep") is None


@pytest.mark.parametrize(
    "text",
    [
        "class View:\n    asyncio = 2\n    def get(self):\n        return here()\n",
        "def other(asyncio):\n    return asyncio\n" + HERE,
        "if TYPE_CHECKING:\n    import asyncio" + HERE,
        "def view():\n    return here()\n\nimport asyncio\n",
    ],
)
def test_spelling_of_a_free_name(text: str) -> None:
    """A name that means something else in other scopes alone is used."""
    assert spell(text, "asyncio", "sleep") == ("asyncio.sleep", ASYNCIO)


def add(text: str, *imports: Import) -> str:
    """A text with more imports."""
    return add_imports(cst.parse_module(text), imports).code


@pytest.mark.parametrize(
    ("title", "before", "after"),
    [
        ("an empty file", "", "import asyncio\n"),
        ("a docstring", '"""Doc."""\n', '"""Doc."""\n\nimport asyncio\n'),
        (
            "a docstring and code",
            '"""Doc."""\n\nx = 1\n',
            '"""Doc."""\n\nimport asyncio\n\nx = 1\n',
        ),
        ("code", "x = 1\n", "import asyncio\n\nx = 1\n"),
        ("a function", "def f(): ...\n", "import asyncio\n\n\ndef f(): ...\n"),
        (
            "shebang, encoding and a comment on code",
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n# One.\nx = 1\n",
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nimport asyncio\n\n# One.\nx = 1\n",
        ),
        (
            "a licence",
            "# Licence: BSD\n\nimport os\n",
            "# Licence: BSD\n\nimport asyncio\nimport os\n",
        ),
        (
            "a future",
            "from __future__ import annotations\n\nx = 1\n",
            "from __future__ import annotations\n\nimport asyncio\n\nx = 1\n",
        ),
        (
            "in its place",
            "import abc\nimport os\nfrom abc import ABC\n",
            "import abc\nimport asyncio\nimport os\nfrom abc import ABC\n",
        ),
        (
            "after what is not sorted",
            "import os\nimport abc\n\nimport flask\n",
            "import os\nimport abc\nimport asyncio\n\nimport flask\n",
        ),
        (
            "sorted whatever the form",
            "from abc import ABC\nimport os\n",
            "from abc import ABC\nimport asyncio\nimport os\n",
        ),
        (
            "comments stay with their statements",
            "import abc\n# The system.\nimport os  # here\n",
            "import abc\nimport asyncio\n# The system.\nimport os  # here\n",
        ),
        (
            "a new first group",
            "import flask\n",
            "import asyncio\n\nimport flask\n",
        ),
        (
            "guarded imports",
            "import abc\n\ntry:\n    import json\nexcept ImportError:\n    json = None\n",
            "import abc\nimport asyncio\n\n"
            "try:\n    import json\nexcept ImportError:\n    json = None\n",
        ),
        (
            "after guarded imports",
            "try:\n    import json\nexcept ImportError:\n    json = None\nimport os\n",
            "try:\n    import json\nexcept ImportError:\n    json = None\n"
            "import asyncio\nimport os\n",
        ),
        (
            "after names of the module's own",
            '__version__ = "1"\nimport os\n',
            '__version__ = "1"\nimport asyncio\nimport os\n',
        ),
        (
            "not below other code",
            "import sys\n\nsys.path.append('.')\nimport os\n",
            "import asyncio\nimport sys\n\nsys.path.append('.')\nimport os\n",
        ),
        (
            "for type checkers only",
            "import abc\n\nif TYPE_CHECKING:\n    import asyncio\n",
            "import abc\nimport asyncio\n\nif TYPE_CHECKING:\n    import asyncio\n",
        ),
        ("there already", "import abc, asyncio\n", "import abc, asyncio\n"),
        ("there with more", "import asyncio.queues\n", "import asyncio\nimport asyncio.queues\n"),
        (
            "line ends of Windows",
            "import os\r\nx = 1\r\n",
            "import asyncio\r\nimport os\r\nx = 1\r\n",
        ),
        ("no line end", "import abc", "import abc\nimport asyncio"),
    ],
)
def test_add_module(title: str, before: str, after: str) -> None:
    """A module of the standard library gets the line that isort would give it."""
    assert add(before, ASYNCIO) == after
    assert add(after, ASYNCIO) == after


LONG = "from flasync import " + ", ".join(f"a_name_of_some_length_{number}" for number in range(3))


@pytest.mark.parametrize(
    ("title", "before", "after"),
    [
        ("alone", "import os\n", "import os\n\nfrom flasync import await_\n"),
        (
            "between groups",
            "import os\n\nfrom . import models\n",
            "import os\n\nfrom flasync import await_\n\nfrom . import models\n",
        ),
        (
            "among libraries",
            "from flask import Flask\nfrom werkzeug import Request\n",
            "from flask import Flask\nfrom flasync import await_\nfrom werkzeug import Request\n",
        ),
        (
            "apart from a group that no library is in",
            "from flask import Flask\n\nfrom shop.models import Book\n",
            "from flask import Flask\nfrom flasync import await_\n\nfrom shop.models import Book\n",
        ),
        (
            "groups without blank lines",
            "import os\nfrom . import models\n",
            "import os\nfrom flasync import await_\nfrom . import models\n",
        ),
        ("merged", "from flasync import Flask\n", "from flasync import Flask, await_\n"),
        (
            "merged in the order of the names",
            "from flasync import Flask, run_sync  # noqa\n",
            "from flasync import Flask, await_, run_sync  # noqa\n",
        ),
        (
            "merged after names without order",
            "from flasync import run_sync, Flask\n",
            "from flasync import run_sync, Flask, await_\n",
        ),
        (
            "merged into parentheses",
            "from flasync import (Flask, run_sync)\n",
            "from flasync import (Flask, await_, run_sync)\n",
        ),
        (
            "a line each",
            "from flasync import (\n    Flask,  # app\n    run_sync,  # thread\n)\n",
            "from flasync import (\n    Flask,  # app\n    await_,\n    run_sync,  # thread\n)\n",
        ),
        (
            "the last line",
            "from flasync import (\n    ASGI,\n    Flask,  # app\n)\n",
            "from flasync import (\n    ASGI,\n    Flask,  # app\n    await_,\n)\n",
        ),
        (
            "the last line without a comma",
            "from flasync import (\n    ASGI,\n    Flask  # app\n)\n",
            "from flasync import (\n    ASGI,\n    Flask,  # app\n    await_\n)\n",
        ),
        (
            "the only line",
            "from flasync import (\n    ASGI,\n)\n",
            "from flasync import (\n    ASGI,\n    await_,\n)\n",
        ),
        (
            "several in a line",
            "from flasync import (\n    ASGI, Flask,\n    run_sync)\n",
            "from flasync import (\n    ASGI, Flask,\n    await_, run_sync)\n",
        ),
        (
            "a long line",
            f"{LONG}  # names\n",
            "from flasync import (  # names\n    a_name_of_some_length_0,\n"
            "    a_name_of_some_length_1,\n    a_name_of_some_length_2,\n    await_,\n)\n",
        ),
        (
            "beside a star",
            "from flasync import *\n",
            "from flasync import *\nfrom flasync import await_\n",
        ),
        (
            "too late to be merged",
            "import os\nx = await_(y)\nfrom flasync import Flask\n",
            "import os\n\nfrom flasync import await_\nx = await_(y)\nfrom flasync import Flask\n",
        ),
        (
            "under another name",
            "from flasync import await_ as wait\n",
            "from flasync import await_ as wait\nfrom flasync import await_\n",
        ),
    ],
)
def test_add_name(title: str, before: str, after: str) -> None:
    """A name of a library joins the import of its module, or gets the line that isort gives it."""
    assert add(before, AWAIT) == after
    assert add(after, AWAIT) == after


def test_add_several() -> None:
    """Several imports come in their order, whatever order they are asked for in."""
    wanted = [AWAIT, ASYNCIO, Import("flasync", "run_sync"), Import("redis.asyncio", "Redis")]
    after = (
        "import asyncio\n\nfrom flasync import await_, run_sync\nfrom redis.asyncio import Redis\n"
    )
    assert add("", *wanted) == add("", *reversed(wanted)) == after


def prune(before: str, after: str, *keep: str) -> str:
    """The text `after` without the imports that it has lost the use of since `before`."""
    return prune_imports(cst.parse_module(before), cst.parse_module(after), keep).code


@pytest.mark.parametrize(
    ("title", "head", "expected"),
    [
        ("a module", "import os\nimport time\n", "import os\n"),
        ("the only one", "import time\n", ""),
        ("of several", "import os, time\n", "import os\n"),
        ("the first of several", "import time, os  # both\n", "import os  # both\n"),
        ("the first", "import time\nimport os\n", "import os\n"),
        ("a group", "import os\n\nimport time\n\nimport flask\n", "import os\n\nimport flask\n"),
        ("with its comment", "import os\nimport time  # zzz\n", "import os\n"),
        ("without the comment above", "# Both.\nimport time\nimport os\n", "# Both.\nimport os\n"),
        (
            "the first of a group",
            "import os\n\nimport time\nimport flask\n",
            "import os\n\nimport flask\n",
        ),
        ("used before by nobody", "import json\nimport time\n", "import json\n"),
    ],
)
def test_prune(title: str, head: str, expected: str) -> None:
    """An import that has lost its use goes, comments above it stay."""
    used = "os.stop(flask)\n" if "os" in head else "x\n"
    assert prune(f"{head}time.sleep(1)\n{used}", head + used) == expected + used


@pytest.mark.parametrize(
    "head",
    [
        "import time as time\n",
        "import time  # noqa: F401\n",
        "try:\n    import time\nexcept ImportError:\n    pass\n",
        "if TYPE_CHECKING:\n    import time\n",
        "import time\n__all__ = ['time']\n",
        "import time\n__all__ = []\n__all__ += ('time',)\n",
    ],
)
def test_prune_keeps(head: str) -> None:
    """Imports that are there for others, or guarded, or marked, stay without use."""
    assert prune(f"{head}time.sleep(1)\n", f"{head}pass\n") == f"{head}pass\n"


def test_prune_keeps_what_others_use() -> None:
    """Names that other modules use stay, and so does what is used in another place."""
    assert prune("import time\ntime.sleep(1)\n", "import time\npass\n", "time")[:6] == "import"
    text = "import time\n\ndef f() -> 'time.struct_time': ...\n"
    assert prune(f"{text}time.sleep(1)\n", text) == text


def test_prune_names_of_a_module() -> None:
    """Of the names of one statement those that are used stay, with their comments."""
    head = "from time import (\n    gmtime,  # one\n    sleep,  # two\n    time  # three\n)\n"
    left = "from time import (\n    gmtime,  # one\n    time  # three\n)\n"
    assert prune(f"{head}sleep(gmtime(time))\n", f"{head}gmtime(time)\n") == f"{left}gmtime(time)\n"
    left = "from time import (\n    gmtime,  # one\n    sleep  # two\n)\n"
    assert (
        prune(f"{head}sleep(gmtime(time))\n", f"{head}gmtime(sleep)\n") == f"{left}gmtime(sleep)\n"
    )


def test_prune_in_functions() -> None:
    """An import in a function goes when the function needs it no longer."""
    before = (
        "def f():\n    import time\n\n    time.sleep(1)\n\ndef g():\n    import time\n    time\n"
    )
    after = before.replace("time.sleep(1)", "pass")
    assert prune(before, after) == after.replace("    import time\n\n", "", 1)
