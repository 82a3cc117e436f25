"""What else the project does with its database URL, and whether another scheme changes that."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.project_files import ProjectFiles

# What may be given the URL: it connects as SQLAlchemy does, or only shows it.
_TAKES_URL = frozenset(
    "create_engine critical debug engine_from_config error exception info log print warning".split()
)
# Parts of a URL that another driver does not change.
_SAME_PARTS = frozenset({"database", "host", "password", "port", "query", "username"})
_MIGRATIONS = "alembic"  # whose env.py hands the URL to SQLAlchemy


def find_url_use(
    files: ProjectFiles, names: Collection[str], before: str, after: str
) -> Place | None:
    """Return the first place where the project uses its URL for something of its own, or None.

    Args:
        files: The project's files.
        names: The settings and constants that hold the URL.
        before: What the URL is.
        after: What it would be.
    """
    for name in names:
        for file in files.list_mentioning(name):
            if _MIGRATIONS in file.text:
                continue
            for read in _find_reads(file, name):
                if not _is_harmless(file, read, names, before, after):
                    return file.locate(read).place
    for file in files.list_mentioning("engine"):
        for node in m.findall(file.module, m.Attribute()):
            if _asks_engine_for_driver(file, node):
                return file.locate(node).place
    return None


def _find_reads(file: ParsedFile, key: str) -> Iterator[cst.BaseExpression]:
    """Yield the expressions of a file that give the setting's value."""
    for node in m.findall(file.module, m.Subscript() | m.Call() | m.Attribute() | m.Name(key)):
        match node:
            case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
                is_read = _is_text(index, key)
            case cst.Call(func=cst.Attribute(attr=cst.Name(value="get")), args=[first, *_]):
                is_read = _is_text(first.value, key)
            case cst.Call(func=cst.Name(value="getattr"), args=[_, second, *_]):
                is_read = _is_text(second.value, key)
            case cst.Attribute(attr=cst.Name(value=name)):
                is_read = name == key and key.isupper()  # any object may have a `url`
            case cst.Name():
                is_read = _is_value(file, node)
            case _:
                is_read = False
        if is_read and isinstance(node, cst.BaseExpression) and not _is_target(file, node):
            yield node


def _is_target(file: ParsedFile, node: cst.BaseExpression) -> bool:
    parent = file.get_parent(node)
    return isinstance(parent, cst.AssignTarget | cst.Del) or (
        isinstance(parent, cst.AnnAssign) and parent.target is node
    )


def _is_text(node: cst.BaseExpression, text: str) -> bool:
    return isinstance(node, cst.SimpleString) and node.evaluated_value == text


def _is_value(file: ParsedFile, name: cst.Name) -> bool:
    """Return whether a name is read: it is no keyword, attribute, function or target."""
    match file.get_parent(name):
        case cst.Arg(value=value) if value is not name:
            return False
        case cst.Attribute(value=value) if value is not name:
            return False
        case cst.FunctionDef() | cst.ImportAlias() | cst.Param():
            return False
    return True


def _is_harmless(
    file: ParsedFile, node: cst.CSTNode, names: Collection[str], before: str, after: str
) -> bool:
    """Return whether what is done with the value comes out the same with both URLs."""
    below, above = node, file.get_parent(node)
    while above is not None:
        answer = _judge_question(file, above, below, before, after)
        if answer is None:
            answer = _judge_destination(above, below, names)
        if answer is not None:
            return answer
        below = above.value if isinstance(above, cst.Arg) else above
        above = file.get_parent(above)
    return True


def _judge_question(
    file: ParsedFile, above: cst.CSTNode, below: cst.CSTNode, before: str, after: str
) -> bool | None:
    """Return whether a question about the value has the same answer; None if it is no question."""
    match above:
        case cst.Attribute(attr=cst.Name(value="startswith")):
            return _starts_alike(file.get_parent(above), before, after)
        case cst.Comparison(
            left=cst.SimpleString() as left,
            comparisons=[cst.ComparisonTarget(operator=cst.In() | cst.NotIn())],
        ):
            value = left.evaluated_value
            return isinstance(value, str) and (value in before) == (value in after)
        case cst.Comparison(comparisons=[cst.ComparisonTarget(operator=cst.Is() | cst.IsNot())]):
            return True
        case cst.If(test=test) | cst.IfExp(test=test) | cst.Assert(test=test) if test is below:
            return True
        case cst.UnaryOperation(operator=cst.Not()) | cst.Expr():
            return True
    return None


def _judge_destination(
    above: cst.CSTNode, below: cst.CSTNode, names: Collection[str]
) -> bool | None:
    """Return whether a value goes where another URL is as good; None if it goes on upwards."""
    match above:
        case cst.Call(args=args) if any(arg.value is below for arg in args):
            return _get_last_name(above.func) in _TAKES_URL
        case cst.Assign(targets=[cst.AssignTarget(target=target)]) | cst.AnnAssign(target=target):
            return _sets(target, names)
        case cst.Arg(keyword=cst.Name(value=name)) if name in names:
            return True
        case cst.DictElement(key=cst.SimpleString() as key) if below is not key:
            return key.evaluated_value in names
        case cst.Arg() | cst.BooleanOperation() | cst.IfExp() | cst.ComparisonTarget():
            return None
    return False


def _starts_alike(call: cst.CSTNode | None, before: str, after: str) -> bool:
    match call:
        case cst.Call(args=[cst.Arg(value=cst.SimpleString() as start)]):
            value = start.evaluated_value
            return isinstance(value, str) and before.startswith(value) == after.startswith(value)
    return False


def _sets(target: cst.BaseExpression, names: Collection[str]) -> bool:
    """Return whether an assignment is to one of the settings and constants that hold the URL."""
    match target:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in names
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return any(_is_text(index, name) for name in names)
    return False


def _asks_engine_for_driver(file: ParsedFile, node: cst.CSTNode) -> bool:
    """Return whether an attribute tells the driver's name, as `engine.driver` does."""
    match node:
        case cst.Attribute(attr=cst.Name(value="drivername")):
            return True
        case cst.Attribute(value=owner, attr=cst.Name(value="driver")):
            return _get_last_name(owner) in {"dialect", "engine"}
        case cst.Attribute(value=owner, attr=cst.Name(value="url")):
            above = file.get_parent(node)
            part = above.attr.value if isinstance(above, cst.Attribute) else ""
            return _get_last_name(owner) == "engine" and part not in _SAME_PARTS
    return False


def _get_last_name(node: cst.CSTNode) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""
