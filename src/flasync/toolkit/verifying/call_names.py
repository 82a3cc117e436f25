"""What the line of a frame calls at this moment, as a person would write it: "requests.get".

The instruction at which a frame stands knows the range of its expression in the source. The names
in it are looked up in the frame, so that an alias, a client kept in `self`, or a function imported
from another place get the name by which its documentation calls them. No code of the app runs.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from itertools import islice
from types import (
    BuiltinFunctionType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

# Functions that call another one, their first argument, which is the more telling name.
_PASSING_ON = {
    "asyncio.ensure_future",
    "asyncio.shield",
    "asyncio.to_thread",
    "asyncio.wait_for",
    "flasync.await_",
    "flasync.call_in_thread",
    "flasync.run_sync",
}

# Types of C that carry another name than the one by which they are made.
_MADE_AS = {
    "_thread.lock": "threading.Lock",
    "_thread.RLock": "threading.RLock",
    "_asyncio.Task": "asyncio.Task",
    "_asyncio.Future": "asyncio.Future",
}

# What is called by its own name; anything else by its type's.
_NAMED = (type, FunctionType, BuiltinFunctionType, MethodType, WrapperDescriptorType)


def name_call(frame: FrameType) -> str:
    """Return the name of what a frame calls, awaits or enters; "" if that cannot be told.

    Runs in: any thread. The first call for a file reads it.
    """
    node = _parse(_read_instruction(frame))
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return _name(node.items[0].context_expr, frame)
    if isinstance(node, ast.Await):
        return _name(node.value, frame)
    if isinstance(node, ast.Call) or (isinstance(node, ast.expr) and _enters(frame)):
        return _name(node, frame)
    return ""


def name_function(frame: FrameType) -> str:
    """Return the name of a frame's function, by the shortest module that offers it."""
    module = str(frame.f_globals.get("__name__", ""))
    return _publish(module, frame.f_code.co_qualname.replace(".<locals>", ""))


def _read_instruction(frame: FrameType) -> str:
    """Return the source of a frame's current instruction; "" if it cannot be read."""
    position = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    first, last, start, end = position
    if first is None or last is None or start is None or end is None:
        return ""
    lines = [
        linecache.getline(frame.f_code.co_filename, number, frame.f_globals).encode()
        for number in range(first, last + 1)
    ]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def _parse(text: str) -> ast.expr | ast.stmt | None:
    """Return the expression of an instruction; some Pythons have the whole `with` for its start."""
    try:
        return ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        pass
    try:
        return next(iter(ast.parse(text).body), None)
    except SyntaxError:
        return None


def _enters(frame: FrameType) -> bool:
    """Whether a frame's line is a `with`, whose expression need not be a call."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
    return line.lstrip().startswith(("with ", "async with "))


def _name(node: ast.expr, frame: FrameType) -> str:
    """Return the dotted name of a called or awaited expression; "" if it has none."""
    if isinstance(node, ast.Call):
        name = _name(node.func, frame)
        if name in _PASSING_ON and node.args:
            return _name(node.args[0], frame) or name
        return name
    is_known, value = _look_up(node, frame)
    if is_known:
        return _name_value(value)
    if isinstance(node, ast.Attribute):
        owner = _name(node.value, frame)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _look_up(node: ast.expr, frame: FrameType) -> tuple[bool, Any]:
    """Return whether the value of a name or chain of attributes can be told, and the value.

    A method is none: it is better named for its owner.
    """
    if isinstance(node, ast.Name):
        for scope in (frame.f_locals, frame.f_globals, frame.f_builtins):
            if node.id in scope:
                return True, scope[node.id]
    if isinstance(node, ast.Attribute):
        is_known, owner = _look_up(node.value, frame)
        if is_known:
            value = inspect.getattr_static(owner, node.attr, None)
            # A module's own name is kept: hashlib.sha256 is _hashlib.openssl_sha256.
            is_stored = type(value) is ModuleType or type(owner) is not ModuleType
            if is_stored and value is not None and not hasattr(type(value), "__get__"):
                return True, value
    return False, None


def _name_value(value: Any) -> str:
    """Return the name of a module, class, function, or of the type of anything else."""
    kind = type(value)  # not isinstance: a proxy would ask the app for its class
    if issubclass(kind, ModuleType):
        return str(value.__name__)
    named = value if issubclass(kind, _NAMED) else kind
    return _publish(str(named.__module__ or ""), named.__qualname__.replace(".<locals>", ""))


def _publish(module: str, name: str) -> str:
    """Return a dotted name by the shortest package that offers the same thing."""
    if module == "builtins":
        return name
    known = _MADE_AS.get(f"{module}.{name}")
    if known is not None:
        return known
    root = name.partition(".")[0]
    missing = object()
    target = _get(module, root, missing)
    parts = module.split(".")
    candidates = [".".join(parts[:count]) for count in range(1, len(parts))] + [module.lstrip("_")]
    for candidate in candidates:
        if target is not missing and _get(candidate, root, None) is target:
            return f"{candidate}.{name}"
    return f"{module}.{name}" if module else name


def _get(module: str, name: str, default: object) -> object:
    found = sys.modules.get(module)
    return default if found is None else vars(found).get(name, default)
