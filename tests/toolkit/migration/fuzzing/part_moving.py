"""Mutations that leave a project as somebody does who began to migrate it by hand."""

import random
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import libcst as cst
from libcst import matchers

_SHARE = 0.4


def await_helpers(texts: Mapping[str, str], fixed: str, chance: random.Random) -> dict[str, str]:
    """Some helpers are async already, and sync code waits for them by `flasync.await_`.

    Args:
        texts: The project's files.
        fixed: What must find everything as it is: the tests and the templates.
        chance: Chooses.
    """
    modules = {path: cst.parse_module(text) for path, text in texts.items()}
    stems = {Path(path).stem for path in texts}
    names = sorted(
        item.name.value
        for module in modules.values()
        for item in module.body
        if _may_be_async(item) and not re.search(rf"\b{item.name.value}\b", fixed)
    )
    chosen = {
        name
        for name in names
        if chance.random() < _SHARE
        and names.count(name) == 1
        and all(_is_only_called(module, name, stems) for module in modules.values())
    }
    return {path: _await(module, chosen) for path, module in modules.items()}


def offload_sleeps(text: str, chance: random.Random) -> str:
    """Some calls of `time.sleep` wait in a thread already."""
    if "import time\n" not in text:
        return text
    pattern = re.compile(r"\btime\.sleep\(")
    new = pattern.sub(
        lambda found: (
            "flasync.call_in_thread(time.sleep, " * (chance.random() < _SHARE) or found.group()
        ),
        text,
    )
    return text if new == text else _import_flasync(cst.parse_module(new)).code


def _may_be_async(item: cst.CSTNode) -> bool:
    """Return whether a statement is a plain function: no generator, and without a decorator."""
    return (
        isinstance(item, cst.FunctionDef)
        and not item.decorators
        and item.asynchronous is None
        and not matchers.findall(item.body, matchers.Yield())
    )


def _is_only_called(module: cst.Module, name: str, stems: Collection[str]) -> bool:
    """Return whether a module mentions a name in its definition, imports and calls alone.

    Args:
        module: The module.
        name: The name.
        stems: What may stand before it: the names of modules.
    """
    named = matchers.Name(name)
    owner = matchers.Name(matchers.MatchIfTrue(stems.__contains__))
    called = matchers.Call(func=named | matchers.Attribute(value=owner, attr=named))
    defined = matchers.FunctionDef(name=named) | matchers.ImportAlias(name=named, asname=None)
    known = len(matchers.findall(module, called)) + len(matchers.findall(module, defined))
    return len(matchers.findall(module, named)) == known


def _await(module: cst.Module, names: set[str]) -> str:
    changed = module.visit(_Awaiting(names))
    return module.code if changed.deep_equals(module) else _import_flasync(changed).code


def _import_flasync(module: cst.Module) -> cst.Module:
    """Return a module with the import, after its docstring and its imports from `__future__`."""
    if matchers.findall(module, matchers.ImportAlias(name=matchers.Name("flasync"))):
        return module
    place = 0
    for index, item in enumerate(module.body):
        is_docstring = index == 0 and module.get_docstring() is not None
        if is_docstring or "__future__" in module.code_for_node(item):
            place = index + 1
    new = cst.parse_statement("import flasync\n")
    return module.with_changes(body=[*module.body[:place], new, *module.body[place:]])


class _Awaiting(cst.CSTTransformer):
    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._depth -= 1
        if self._depth or updated_node.name.value not in self._names:
            return updated_node
        space = cst.Asynchronous(whitespace_after=cst.SimpleWhitespace(" "))
        return updated_node.with_changes(asynchronous=space)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        func = updated_node.func
        name = getattr(func, "attr", func)
        if not isinstance(name, cst.Name) or name.value not in self._names:
            return updated_node
        waiting = cst.parse_expression("flasync.await_")
        return cst.Call(waiting, [cst.Arg(updated_node)])
