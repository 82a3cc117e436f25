"""Mutations that put independent lines in another order, or in another place."""

import random

import libcst as cst

_IMPORTS = (cst.Import, cst.ImportFrom)


def shuffle_imports(text: str, chance: random.Random) -> str:
    """Neighbouring imports change places."""
    module = cst.parse_module(text)
    body, run = [], []
    for statement in [*module.body, None]:
        if statement is not None and _is_import(statement):
            run.append(statement)
            continue
        chance.shuffle(run)
        body += run
        run = []
        if statement is not None:
            body.append(statement)
    return module.with_changes(body=body).code


def move_functions(text: str, chance: random.Random) -> str:
    """Some plain functions of the module move to its end, or directly below the imports."""
    module = cst.parse_module(text)
    functions = [
        item for item in module.body if isinstance(item, cst.FunctionDef) and not item.decorators
    ]
    chosen = [item for item in functions if chance.random() < 0.3]
    rest = [item for item in module.body if item not in chosen]
    chance.shuffle(chosen)
    last = max((place for place, item in enumerate(rest) if _is_import(item)), default=-1) + 1
    first = [item for item in chosen if chance.random() < 0.5]
    end = [item for item in chosen if item not in first]
    return module.with_changes(body=[*rest[:last], *first, *rest[last:], *end]).code


def import_late(text: str, chance: random.Random) -> str:
    """Some functions import what the module imports, once more."""
    module = cst.parse_module(text)
    imports = [
        item
        for item in module.body
        if _is_import(item) and "__future__" not in module.code_for_node(item)
    ]
    return module.visit(_ImportingLate(chance, imports)).code


def guard_imports(text: str, chance: random.Random) -> str:
    """An import stands in a `try`, below an `if`, or for type checkers alone as well."""
    module = cst.parse_module(text)
    body = list(module.body)
    places = [
        place
        for place, item in enumerate(body)
        if _is_import(item) and "__future__" not in module.code_for_node(item)
    ]
    if not places:
        return text
    place = chance.choice(places)
    line = module.code_for_node(body[place].with_changes(leading_lines=[])).strip()
    form = chance.choice(
        [
            "try:\n    {line}\nexcept ImportError:\n    raise\n",
            "if True:\n    {line}\n",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {line}\n{line}\n",
            "{line}; {line}\n",
            "{line}\n{line}\n",
        ]
    )
    body[place : place + 1] = cst.parse_module(form.format(line=line)).body
    return module.with_changes(body=body).code


class _ImportingLate(cst.CSTTransformer):
    def __init__(self, chance: random.Random, imports: list[cst.SimpleStatementLine]) -> None:
        super().__init__()
        self._chance = chance
        self._imports = imports

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if not self._imports or self._chance.random() > 0.3:
            return updated_node
        if not isinstance(updated_node.body, cst.IndentedBlock):
            return updated_node
        line = self._chance.choice(self._imports).with_changes(leading_lines=[])
        body = updated_node.body.with_changes(body=[line, *updated_node.body.body])
        return updated_node.with_changes(body=body)


def _is_import(statement: cst.BaseStatement) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], _IMPORTS)
        and not (
            isinstance(statement.body[0], cst.ImportFrom)
            and isinstance(statement.body[0].names, cst.ImportStar)
        )
    )
