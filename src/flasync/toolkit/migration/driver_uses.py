"""Uses of a database driver that SQLAlchemy does not hide: they need the sync driver itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst
from libcst import matchers as m

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.database_drivers import AsyncDriver
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.project_files import ProjectFiles

# Ways from SQLAlchemy's objects to the driver's connection.
_RAW = frozenset({"dbapi_connection", "driver_connection", "raw_connection"})
# Events whose listeners are given the driver's connection first.
_CONNECTION_EVENTS = frozenset(
    "checkin checkout close connect detach first_connect invalidate reset soft_invalidate".split()
)
# What SQLAlchemy's adapters of async drivers have, and do as the sync driver does.
_ADAPTED = frozenset({"close", "commit", "cursor", "rollback"})
_ADAPTED_BY_SQLITE = _ADAPTED | {"create_function", "execute"}
# What an error of psycopg2 has, and one of psycopg and asyncpg does not.
_PSYCOPG2_ERROR = frozenset({"pgcode", "pgerror"})
# What is called to make one driver stand in for another; it does no harm to a third.
_STAND_INS = frozenset({"pymysql.install_as_MySQLdb", "pymysql.version_info"})
_EXECUTES_TEXT = frozenset({"exec_driver_sql", "from_statement", "text"})


@dataclass(frozen=True, slots=True)
class DriverUse:
    """A use of a driver.

    Attributes:
        reason: A sentence without its full stop.
        place: Where.
    """

    reason: str
    place: Place


def find_driver_use(files: ProjectFiles, driver: AsyncDriver) -> DriverUse | None:
    """Return the first use of the sync driver that another one does not bear, or None.

    Args:
        files: The project's files.
        driver: What is to take its place.
    """
    words = (*_RAW, ".connection.", driver.module_before, *_PSYCOPG2_ERROR, "listen")
    for file in _list_mentioning(files, words):
        for found in (*_find_raw(file), *_find_own(file, driver), *_find_listeners(file, driver)):
            return found
    return None


def find_plain_sql(files: ProjectFiles) -> Place | None:
    """Return the first SQL of the project's own whose parameters the driver sees, or None."""
    for file in _list_mentioning(files, _EXECUTES_TEXT):
        for _, call in file.list_calls():
            name = _get_last_name(call.func)
            if name in _EXECUTES_TEXT and call.args and not _is_plain(call.args[0].value):
                return file.locate(call).place
    return None


def _list_mentioning(files: ProjectFiles, words: Iterable[str]) -> list[ParsedFile]:
    """Return the files that have one of some words: others are not even parsed."""
    found = {file.name: file for word in words for file in files.list_mentioning(word)}
    return [found[name] for name in sorted(found)]


def _is_plain(sql: cst.BaseExpression) -> bool:
    """Return whether an SQL text is one statement without parameters."""
    if not isinstance(sql, cst.SimpleString | cst.ConcatenatedString):
        return False
    value = sql.evaluated_value
    return isinstance(value, str) and not {":", "%", ";"} & set(value)


def _find_raw(file: ParsedFile) -> Iterator[DriverUse]:
    """Yield where a file takes the driver's connection out of SQLAlchemy's."""
    if not any(name in file.text for name in (*_RAW, ".connection.")):
        return
    for node in m.findall(file.module, m.Attribute()):
        match node:
            case cst.Attribute(attr=cst.Name(value=name)) if name in _RAW:
                text = name
            case cst.Attribute(
                value=cst.Attribute(attr=cst.Name(value="connection")),
                attr=cst.Name(value="connection" | "cursor" as name),
            ):
                text = f"connection.{name}"
            case _:
                continue
        reason = (
            f"the driver's own connection is taken by `{text}`, and an async driver has another"
        )
        yield DriverUse(reason, file.locate(node).place)


def _find_own(file: ParsedFile, driver: AsyncDriver) -> Iterator[DriverUse]:
    """Yield where a file names the sync driver, whose classes are not those of another one."""
    module = driver.module_before
    if not driver.is_same and module in file.text:
        for node in m.findall(file.module, m.Attribute() | m.Name()):
            for name in file.name_qualified(node):
                if name.startswith(f"{module}.") and name not in _STAND_INS:
                    reason = f"`{name}` is of {module}, and the other driver has classes of its own"
                    yield DriverUse(reason, file.locate(node).place)
    if driver.is_same and module in file.text:
        for _, call in file.list_calls():
            if _get_last_name(call.func) == "isinstance" and len(call.args) > 1:
                for name in file.name_qualified(call.args[1].value):
                    if name.startswith(f"{module}.") and name.endswith(".Connection"):
                        reason = (
                            f"it asks for a `{name}`, which an async driver's connection is not"
                        )
                        yield DriverUse(reason, file.locate(call).place)
    if module == "psycopg2" and any(name in file.text for name in _PSYCOPG2_ERROR):
        for node in m.findall(file.module, m.Attribute()):
            name = _get_last_name(node)
            if name in _PSYCOPG2_ERROR:
                reason = f"errors of {driver.module} have no `{name}`"
                yield DriverUse(reason, file.locate(node).place)


# --- listeners ---------------------------------------------------------------------------------


def _find_listeners(file: ParsedFile, driver: AsyncDriver) -> Iterator[DriverUse]:
    """Yield what listeners do with a driver's connection that its adapter cannot."""
    if "listen" not in file.text:
        return
    for _, call in file.list_calls():
        name = _get_last_name(call.func)
        if name not in {"listen", "listens_for"} or len(call.args) < 2:  # noqa: PLR2004  who, what
            continue
        event = call.args[1].value
        if (
            not isinstance(event, cst.SimpleString)
            or event.evaluated_value not in _CONNECTION_EVENTS
        ):
            continue
        listener = _find_listener(file, call)
        if listener is None:
            reason = "a listener is given the driver's connection, and it could not be read"
            yield DriverUse(reason, file.locate(call).place)
        else:
            yield from _judge_listener(file, listener, driver)


def _find_listener(file: ParsedFile, call: cst.Call) -> cst.FunctionDef | None:
    """Return the function that an event goes to: the one decorated, or the one named."""
    parent = file.get_parent(call)
    if isinstance(parent, cst.Decorator):
        owner = file.get_parent(parent)
        return owner if isinstance(owner, cst.FunctionDef) else None
    named = call.args[2].value if len(call.args) > 2 else None  # noqa: PLR2004  who, what, which
    if not isinstance(named, cst.Name):
        return None
    functions = (node for _, node in file.list_functions() if node.name.value == named.value)
    return next(functions, None)


def _judge_listener(
    file: ParsedFile, listener: cst.FunctionDef, driver: AsyncDriver
) -> Iterator[DriverUse]:
    """Yield each use of the connection, a listener's first parameter, that is not adapted."""
    if not listener.params.params:
        return
    connection = listener.params.params[0].name.value
    adapted = _ADAPTED_BY_SQLITE if driver.module == "aiosqlite" else _ADAPTED
    for node in m.findall(listener.body, m.Name(connection)):
        parent = file.get_parent(node)
        match parent:
            case cst.Attribute(value=value, attr=cst.Name(value=name)) if value is node:
                is_set = isinstance(file.get_parent(parent), cst.AssignTarget)
                if name in adapted and not is_set:
                    continue
                reason = f"a listener uses `{connection}.{name}` of the driver's connection"
            case cst.Attribute() | cst.Arg(keyword=cst.Name()) if _is_only_name(parent, node):
                continue
            case _:
                reason = f"a listener asks for more of the driver's connection `{connection}`"
        reason += ", and that of an async driver is SQLAlchemy's adapter"
        yield DriverUse(reason, file.locate(node).place)


def _is_only_name(parent: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Return whether a node only has the connection's name: an attribute, a keyword."""
    if isinstance(parent, cst.Attribute):
        return parent.attr is node
    return isinstance(parent, cst.Arg) and parent.keyword is node


def _get_last_name(node: cst.CSTNode) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""
