"""Mutations that put calls into other expressions and statements, with the same value."""

import random
from collections.abc import Callable

import libcst as cst
from libcst import matchers

_IDENTITIES = (
    "({call})",
    "(  # before\n    {call}  # after\n)",
    "(lambda: {call})()",
    "(lambda {name}={call}: {name})()",
    "[{call}][0]",
    "[{call} for _ in range(1)][0]",
    "{{'value': {call}}}['value']",
    "{{0: {call} for _ in (0,)}}[0]",
    "next({call} for _ in (0,))",
    "next(iter([{name} for {name} in [{call}]]))",
    "next({name} for {name} in [{call}])",
    "({call} if True else None)",
    "(None if not True else {call})",
    "(False or True and {call})",
    "(0, {call})[1]",
    "(*[{call}],)[0]",
    "dict(value={call})['value']",
    "dict(**{{'value': {call}}})['value']",
    "next(\n    iter(\n        [\n            {call},\n        ]\n    )\n)",
)
# These bind a name: not in a comprehension's iterable, nor in a class body or a lambda.
_BINDINGS = (
    "({name} := {call})",
    '(f"{{({name} := {call})!r}}", {name})[1]',
    '(f"{{({name} := {call})=}}", {name})[1]',
    '(f"{{({name} := {call})!r:>{{len(str({name}))}}}}", {name})[1]',
    "({name} if ({name} := {call}) is not None else None)",
)
_STATEMENTS = (
    "with __import__('contextlib').nullcontext({call}) as {name}:\n    {rest}\n",
    "try:\n    {name} = {call}\nfinally:\n    pass\n{rest}\n",
    "try:\n    pass\nfinally:\n    {name} = {call}\n{rest}\n",
    "try:\n    raise LookupError\nexcept LookupError:\n    {name} = {call}\n{rest}\n",
    "if True:\n    {name} = {call}\n{rest}\n",
    "for {name} in [{call}]:\n    {rest}\n",
    "while True:\n    {name} = {call}\n    break\n{rest}\n",
    "def {name}_inner():\n    return {call}\n{name} = {name}_inner()\n{rest}\n",
    "def {name}_inner(value={call}):\n    return value\n{name} = {name}_inner()\n{rest}\n",
    "class {name}_Holder:\n    value = {call}\n{name} = {name}_Holder.value\n{rest}\n",
    "assert [{name} := {call}]\n{rest}\n",
    "{name}: object = {call}\n{rest}\n",
    "{name}, = {call},\n{rest}\n",
    "[{name}, *_] = [{call}]\n{rest}\n",
    "match {call}:\n    case {name}:\n        {rest}\n",
    "import functools\n{name} = functools.reduce(lambda a, b: b, [0, {call}])\n{rest}\n",
)
Choose = Callable[[cst.Call], bool]


def wrap_calls(text: str, chance: random.Random) -> str:
    """Some calls in functions get other expressions around them."""
    module = cst.parse_module(text)
    return module.visit(_Wrapping(chance, module)).code


def unfold_statements(text: str, chance: random.Random) -> str:
    """The call of some simple statements is evaluated by a statement of its own."""
    module = cst.parse_module(text)
    return module.visit(_Unfolding(chance, module)).code


class _Wrapping(cst.CSTTransformer):
    def __init__(self, chance: random.Random, module: cst.Module) -> None:
        super().__init__()
        self._chance = chance
        self._module = module
        self._depth = 0
        self._unbinding = 0
        self._share = chance.choice([0.1, 0.4])
        self._count = 0

    def visit_FunctionDef_body(self, node: cst.FunctionDef) -> None:
        self._depth += 1

    def leave_FunctionDef_body(self, node: cst.FunctionDef) -> None:
        self._depth -= 1

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.FormattedString | cst.Await):
            return False
        if isinstance(node, cst.CompFor | cst.Lambda | cst.ClassDef | cst.BaseComp):
            self._unbinding += 1
        return super().on_visit(node)

    def on_leave(self, original_node, updated_node):  # type: ignore[no-untyped-def]  # any node
        if isinstance(original_node, cst.CompFor | cst.Lambda | cst.ClassDef | cst.BaseComp):
            self._unbinding -= 1
        return super().on_leave(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self._depth or self._chance.random() > self._share or _reads_frame(original_node):
            return updated_node
        self._count += 1
        forms = _IDENTITIES if self._unbinding else _IDENTITIES + _BINDINGS
        code = self._module.code_for_node(updated_node)
        form = self._chance.choice(forms)
        if "\n" in code or ("'" in code + form and 'f"' in form) or ('"' in code and 'f"' in form):
            form = "({call})"
        name = f"kept_{self._count}_{self._chance.randrange(10_000)}"
        return cst.parse_expression(form.format(call=code, name=name))


class _Unfolding(cst.CSTTransformer):
    def __init__(self, chance: random.Random, module: cst.Module) -> None:
        super().__init__()
        self._chance = chance
        self._module = module
        self._share = chance.choice([0.1, 0.5])
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._depth -= 1
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        if not self._depth or self._chance.random() > self._share:
            return updated_node
        match updated_node.body:
            case [cst.Return(value=cst.Call() as call) as line]:
                changed: cst.BaseSmallStatement = line.with_changes(value=cst.Name("NAME"))
            case [cst.Assign(value=cst.Call() as call) as line]:
                changed = line.with_changes(value=cst.Name("NAME"))
            case [cst.Expr(value=cst.Call() as call) as line]:
                changed = line.with_changes(value=cst.Name("NAME"))
            case _:
                return updated_node
        if _reads_frame(call):
            return updated_node
        name = f"held_{self._chance.randrange(10_000)}"
        rest = self._module.code_for_node(changed).replace("NAME", name)
        code = self._module.code_for_node(call)
        if "\n" in code or "await" in code or "super()" in code:
            return updated_node
        text = self._chance.choice(_STATEMENTS).format(call=code, name=name, rest=rest)
        return cst.FlattenSentinel(cst.parse_module(text).body)


def _reads_frame(call: cst.Call) -> bool:
    frame = matchers.Name("super") | matchers.Name("locals") | matchers.Name("globals")
    inner = matchers.Call(func=frame) | matchers.Await() | matchers.NamedExpr()
    return bool(matchers.findall(call, inner))
