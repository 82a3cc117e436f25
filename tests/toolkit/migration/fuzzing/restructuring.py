"""Mutations that reach functions in other ways: methods, decorators, aliases, other modules."""

import random
import re
from collections.abc import Mapping

import libcst as cst

_ALIASES = (
    "{name} = functools.partial(_{name})",
    "{name} = lambda *args, **kwargs: _{name}(*args, **kwargs)",
    "def {name}(*args, **kwargs):\n    return _{name}(*args, **kwargs)",
    "def {name}(*args, inner=_{name}, **kwargs):\n    return inner(*args, **kwargs)",
    "@functools.wraps(_{name})\ndef {name}(*args, **kwargs):\n    return _{name}(*args, **kwargs)",
    "{name} = {{'run': _{name}}}['run']",
    "{name}, = [_{name}]",
    "class {name}_holder:\n    run = staticmethod(_{name})\n\n\n{name} = {name}_holder.run",
    "class {name}_holder:\n    @staticmethod\n    def run(*args, **kwargs):\n"
    "        return _{name}(*args, **kwargs)\n\n\n{name} = {name}_holder().run",
    "class {name}_holder:\n    def run(self, *args, **kwargs):\n"
    "        return _{name}(*args, **kwargs)\n\n\n{name} = {name}_holder().run",
    "class {name}_holder:\n    @classmethod\n    def run(cls, *args, **kwargs):\n"
    "        return _{name}(*args, **kwargs)\n\n\n{name} = {name}_holder.run",
    "class {name}_holder:\n    @property\n    def run(self):\n"
    "        return lambda *args, **kwargs: _{name}(*args, **kwargs)\n\n\n"
    "def {name}(*args, **kwargs):\n    return {name}_holder().run(*args, **kwargs)",
    "class {name}_holder:\n    def __call__(self, *args, **kwargs):\n"
    "        return _{name}(*args, **kwargs)\n\n\n{name} = {name}_holder()",
    "class {name}_holder:\n    def __init__(self, *args, **kwargs):\n"
    "        self.value = _{name}(*args, **kwargs)\n\n\n"
    "def {name}(*args, **kwargs):\n    return {name}_holder(*args, **kwargs).value",
    "def {name}_all(*args, **kwargs):\n    yield _{name}(*args, **kwargs)\n\n\n"
    "def {name}(*args, **kwargs):\n    return next({name}_all(*args, **kwargs))",
    "def {name}(*args, **kwargs):\n"
    "    (value,) = map(lambda run: run(*args, **kwargs), [_{name}])\n    return value",
)
_DECORATORS = (
    "def {name}(run):\n    @functools.wraps(run)\n    def wrapper(*args, **kwargs):\n"
    "        return run(*args, **kwargs)\n\n    return wrapper\n",
    "def {name}(run):\n    @functools.wraps(run)\n    def wrapper(*args, **kwargs):\n"
    "        result = run(*args, **kwargs)\n        return result\n\n    return wrapper\n",
    "def {name}(run):\n    @functools.wraps(run)\n    def wrapper(*args, **kwargs):\n"
    "        result = run(*args, **kwargs)\n        return result if result else result\n\n"
    "    return wrapper\n",
    "def {name}(run):\n    def wrapper(*args, **kwargs):\n        return run(*args, **kwargs)\n\n"
    "    wrapper.__name__ = run.__name__\n    return wrapper\n",
    "class {name}:\n    def __init__(self, run):\n        functools.update_wrapper(self, run)\n"
    "        self.run = run\n\n    def __call__(self, *args, **kwargs):\n"
    "        return self.run(*args, **kwargs)\n",
    "def {name}(run):\n    run.marked = True\n    return run\n",
)


def alias_functions(text: str, chance: random.Random) -> str:
    """Some functions are reached by something that calls them."""
    module = cst.parse_module(text)
    body: list[cst.BaseStatement] = []
    for item in module.body:
        if not _is_plain(item) or chance.random() > 0.25:
            body.append(item)
            continue
        assert isinstance(item, cst.FunctionDef)
        name = item.name.value
        alias = chance.choice(_ALIASES).format(name=name)
        body += [
            item.with_changes(name=cst.Name(f"_{name}")),
            *cst.parse_module(f"\n\n{alias}\n").body,
        ]
    return _import_functools(module, body) if len(body) > len(module.body) else text


def decorate(text: str, chance: random.Random) -> str:
    """Some functions get a decorator of the module's own."""
    name = f"passing_{chance.randrange(100)}"
    decorator = chance.choice(_DECORATORS).format(name=name)
    module = cst.parse_module(text)
    changed = module.visit(_Decorating(chance, name))
    body = [*_split_head(changed)[0], *cst.parse_module(decorator).body, *_split_head(changed)[1]]
    return _import_functools(module, body)


def annotate(text: str, chance: random.Random) -> str:
    """Functions say what they give."""
    return cst.parse_module(text).visit(_Annotating(chance)).code


def make_async(text: str, chance: random.Random) -> str:
    """Some views are async already."""
    return cst.parse_module(text).visit(_MakingAsync(chance)).code


def extract_returns(text: str, chance: random.Random) -> str:
    """What some functions return is worked out by a new helper, or one inside of it."""
    module = cst.parse_module(text)
    extracting = _Extracting(chance)
    changed = module.visit(extracting)
    return changed.with_changes(body=[*changed.body, *extracting.helpers]).code


def import_star(text: str, chance: random.Random) -> str:
    """A `from x import a` becomes `from x import *`, beside or in its place."""
    lines = text.split("\n")
    places = [
        place
        for place, line in enumerate(lines)
        if re.fullmatch(r"from (storage|paths|upstream) import [\w, ]+", line)
    ]
    if not places:
        return text
    place = chance.choice(places)
    star = re.sub(r"import .*", "import *  # noqa: F403", lines[place])
    lines[place : place + 1] = [star] if chance.random() < 0.5 else [star, lines[place]]
    return "\n".join(lines)


def pass_module_on(texts: Mapping[str, str], fixed: str, chance: random.Random) -> dict[str, str]:
    """A module moves to another one, of which it only passes the names on."""
    names = [path for path in texts if "/" not in path and path not in {"app.py", "wsgi.py"}]
    if not names:
        return dict(texts)
    path = chance.choice(names)
    stem = path.removesuffix(".py")
    public = sorted(
        item.name.value
        for item in cst.parse_module(texts[path]).body
        if isinstance(item, cst.FunctionDef | cst.ClassDef) and not item.name.value.startswith("_")
    )
    form = chance.choice(
        [
            "from {stem}_inner import *\n\n__all__ = {public}\n",
            "from {stem}_inner import {names}\n\n__all__ = {public}\n",
            "from {stem}_inner import {names}  # noqa: F401\n",
            "import {stem}_inner\n\n{lines}\n",
        ]
    )
    facade = form.format(
        stem=stem,
        public=public,
        names=", ".join(public),
        lines="\n".join(f"{name} = {stem}_inner.{name}" for name in public),
    )
    return {**texts, f"{stem}_inner.py": texts[path], path: facade}


def _is_plain(item: cst.CSTNode) -> bool:
    return isinstance(item, cst.FunctionDef) and not item.decorators and not item.asynchronous


def _import_functools(module: cst.Module, body: list[cst.BaseStatement]) -> str:
    head, rest = _split_head(module.with_changes(body=body))
    line = cst.parse_statement("import functools")
    return module.with_changes(body=[*head, line, *rest]).code


def _split_head(module: cst.Module) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
    """Split a module behind its docstring and its imports from the future."""
    place = 0
    for item in module.body:
        match item:
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString())]):
                place += 1
            case cst.SimpleStatementLine(
                body=[cst.ImportFrom(module=cst.Name(value="__future__"))]
            ):
                place += 1
            case _:
                break
    return list(module.body[:place]), list(module.body[place:])


class _Decorating(cst.CSTTransformer):
    def __init__(self, chance: random.Random, name: str) -> None:
        super().__init__()
        self._chance = chance
        self._name = name
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._depth += 1

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._depth -= 1
        name = updated_node.name.value
        if self._depth or self._chance.random() > 0.3 or name.startswith("__"):
            return updated_node
        if "property" in {_name(item) for item in updated_node.decorators}:
            return updated_node
        decorator = cst.Decorator(cst.Name(self._name))
        return updated_node.with_changes(decorators=[*updated_node.decorators, decorator])


def _name(decorator: cst.Decorator) -> str:
    return getattr(decorator.decorator, "value", "") if decorator else ""


class _Annotating(cst.CSTTransformer):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if updated_node.returns is not None or self._chance.random() > 0.5:
            return updated_node
        said = self._chance.choice(['"object"', "object", "'time.sleep'", "list[int] | None"])
        return updated_node.with_changes(returns=cst.Annotation(cst.parse_expression(said)))


class _MakingAsync(cst.CSTTransformer):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        is_view = any(
            isinstance(item.decorator, cst.Call) and isinstance(item.decorator.func, cst.Attribute)
            for item in updated_node.decorators[:1]
        )
        if len(updated_node.decorators) == 1 and is_view and self._chance.random() < 0.4:
            return updated_node.with_changes(asynchronous=cst.Asynchronous())
        return updated_node


class _Extracting(cst.CSTTransformer):
    """Moves the value of `return` into a new function: of the module, or of the function."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self.helpers: list[cst.BaseStatement] = []

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        body = updated_node.body
        if not isinstance(body, cst.IndentedBlock) or self._chance.random() > 0.4:
            return updated_node
        match body.body[-1]:
            case cst.SimpleStatementLine(body=[cst.Return(value=cst.BaseExpression() as value)]):
                pass
            case _:
                return updated_node
        code = cst.Module([]).code_for_node(value)
        if "super()" in code or "await" in code or ":=" in code or "\n" in code:
            return updated_node
        name = f"work_{self._chance.randrange(10_000)}"
        lines = [f"def {name}():\n    return {code}\n", f"return {name}()\n"]
        if isinstance(value, cst.Call) and all(not arg.star for arg in value.args):
            if self._chance.random() < 0.7 and isinstance(value.func, cst.Name):
                names = [f"value_{place}" for place in range(len(value.args))]
                inner = value.with_changes(
                    args=[
                        arg.with_changes(value=cst.Name(to))
                        for arg, to in zip(value.args, names, strict=True)
                    ]
                )
                given = ", ".join(cst.Module([]).code_for_node(arg.value) for arg in value.args)
                text = cst.Module([]).code_for_node(inner)
                if not any(isinstance(arg.value, cst.GeneratorExp) for arg in value.args):
                    helper = f"\n\ndef {name}({', '.join(names)}):\n    return {text}\n"
                    self.helpers += cst.parse_module(helper).body
                    lines = [f"return {name}({given})\n"]
        new = [statement for line in lines for statement in cst.parse_module(line).body]
        return updated_node.with_changes(body=body.with_changes(body=[*body.body[:-1], *new]))
