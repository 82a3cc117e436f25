"""The database URL: the edits after which SQLAlchemy waits for every database without blocking.

Only the scheme changes, and only in the literal of the project's source that gave the URL of the
live app. All of an app's databases get an async driver, or none: as long as one of them blocks,
its calls cannot be told from those of the others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from flasync.toolkit.finding import Edit, Place
from flasync.toolkit.migration.database_drivers import (
    AsyncDriver,
    choose_driver,
    find_unknown_option,
)
from flasync.toolkit.migration.driver_uses import find_driver_use, find_plain_sql
from flasync.toolkit.migration.plan import Safety, TextChange
from flasync.toolkit.migration.project_files import ProjectFiles
from flasync.toolkit.migration.url_literals import UrlLiteral, list_engine_calls, list_settings
from flasync.toolkit.migration.url_uses import find_url_use
from flasync.toolkit.rules import Program

_URL_KEY = "SQLALCHEMY_DATABASE_URI"
_BINDS_KEY = "SQLALCHEMY_BINDS"
_OPTIONS_KEY = "SQLALCHEMY_ENGINE_OPTIONS"
_ENGINES = "create_engine"
# What most apps have where they are deployed, whatever their own literal says.
_SERVER_SCHEME = "postgresql+psycopg_async"
_MIGRATIONS = "alembic"  # whose env.py makes an engine of the app's own URL, or of its own file
# The first release in whose adapters flasync finds what it replaces (`flasync.async_engines`).
_FIRST_SQLALCHEMY = (2, 0, 44)


@dataclass(frozen=True, slots=True)
class DatabaseStep:
    """What can be done about the app's databases.

    Attributes:
        changes: The edits; empty when nothing can be done, or nothing has to.
        distributions: What must be installed for them, as requirements.
        frees: Whether all of the app's databases are async after them.
        reason: Why not, a sentence without its full stop; "" when they are, or there is none.
        advice: One line: what to do by hand, in any case; "" for nothing.
        place: What stands in the way, if that is one place.
    """

    changes: tuple[TextChange, ...] = ()
    distributions: tuple[str, ...] = ()
    frees: bool = False
    reason: str = ""
    advice: str = ""
    place: Place | None = None

    @property
    def safety(self) -> Safety:
        """How sure the least sure of the edits is."""
        unsafe = any(change.safety is not Safety.SAFE for change in self.changes)
        return Safety.UNSAFE if unsafe else Safety.SAFE


@dataclass(frozen=True, slots=True)
class _Database:
    """One database of the live app.

    Attributes:
        key: The setting that holds its URL, or "create_engine".
        url: SQLAlchemy's URL of it.
        text: The URL as the setting has it, or as a string.
        options: What its engine is made with.
    """

    key: str
    url: Any
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)


class _Obstacle(Exception):
    """Why the databases cannot be made async: reason, advice, place."""

    def __init__(self, reason: str, advice: str = "", place: Place | None = None) -> None:
        super().__init__(reason)
        self.step = DatabaseStep(reason=reason, advice=advice, place=place)


def plan_database_url(program: Program, files: ProjectFiles) -> DatabaseStep:
    """Return the edits that give every database of a live app an async driver, or why not.

    Reads settings and the module-level engines of the project; makes no engine and connects to
    nothing.

    Args:
        program: The app.
        files: The files that may change.
    """
    if program.app is None or "sqlalchemy" not in sys.modules:
        return DatabaseStep()
    try:
        databases = [*_list_settings(program), *_list_engines(program)]
        blocking = [database for database in databases if not database.url.get_dialect().is_async]
        if not blocking:
            return DatabaseStep(frees=bool(databases))
        _check_sqlalchemy()
        return _Planner(program, files).plan(blocking)
    except _Obstacle as obstacle:
        return obstacle.step


# --- the live app ------------------------------------------------------------------------------


def _list_settings(program: Program) -> Iterator[_Database]:
    """Yield the databases of Flask-SQLAlchemy."""
    assert program.app is not None  # noqa: S101  the caller has looked
    config = program.app.config
    extension = program.app.extensions.get("sqlalchemy")
    options = {**getattr(extension, "_engine_options", {}), **(config.get(_OPTIONS_KEY) or {})}
    binds = config.get(_BINDS_KEY) or {}
    main = config.get(_URL_KEY)
    settings = [(_URL_KEY, main), *((_BINDS_KEY, value) for value in binds.values())]
    for key, value in settings:
        given = dict(value) if isinstance(value, dict) else {"url": value}
        url = given.pop("url", None)
        if url:
            own = given if key == _BINDS_KEY else {**options, **given}
            yield _build(key, url, own)


def _list_engines(program: Program) -> Iterator[_Database]:
    """Yield the engines that the project's modules hold."""
    from sqlalchemy.engine import Engine  # noqa: PLC0415  the app has it, flasync need not

    seen: set[int] = set()
    for module in list(sys.modules.values()):
        filename = getattr(module, "__file__", None) or ""
        if type(module) is not ModuleType or not program.sources.is_own(filename):
            continue
        for value in list(vars(module).values()):
            if issubclass(type(value), Engine) and id(value) not in seen:
                seen.add(id(value))
                yield _build(_ENGINES, value.url, {})


def _build(key: str, url: Any, options: Mapping[str, Any]) -> _Database:
    from sqlalchemy.engine import make_url  # noqa: PLC0415  the app has it, flasync need not
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415  as above

    try:
        made = make_url(url)
        made.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise _Obstacle(f"SQLAlchemy cannot read the URL in `{key}`: {error}") from error
    text = url if isinstance(url, str) else made.render_as_string(hide_password=False)
    return _Database(key, made, text, options)


def _check_sqlalchemy() -> None:
    import sqlalchemy  # noqa: PLC0415  the app has it, flasync need not

    numbers = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:3] if part.isdigit())
    if numbers < _FIRST_SQLALCHEMY:
        raise _Obstacle(
            f"SQLAlchemy {sqlalchemy.__version__} is too old for its async drivers in sync code",
            "Install SQLAlchemy 2.0.44 or later",
        )


# --- the edits ---------------------------------------------------------------------------------


class _Planner:
    """Looks for the literals of databases.

    Args:
        program: The app.
        files: The files that may change.
    """

    def __init__(self, program: Program, files: ProjectFiles) -> None:
        self._program = program
        self._files = files
        self._engines = [
            call for call in list_engine_calls(files) if _MIGRATIONS not in call.file.text
        ]

    def plan(self, databases: list[_Database]) -> DatabaseStep:
        """Return the edits for all databases.

        Raises:
            _Obstacle: One of them cannot be made async.
        """
        changes: dict[TextChange, None] = {}
        requirements: dict[str, None] = {}
        advice: dict[str, None] = {}
        changed: list[UrlLiteral] = []
        for database in databases:
            driver = _choose(database)
            literals = self._find_literals(database, driver)
            self._check_uses(database, driver, literals)
            changed += literals
            for literal in literals:
                changes[_change(database, driver, literal, self._judge(driver))] = None
                if literal.variable:
                    advice[_advise(literal.variable, driver)] = None
            requirements[driver.requirement] = None
        self._check_other_engines({id(literal.node) for literal in changed})
        return DatabaseStep(
            tuple(sorted(changes, key=lambda change: (change.edit.file, change.edit.start))),
            tuple(requirements),
            frees=True,
            advice=" ".join(advice),
        )

    def _find_literals(self, database: _Database, driver: AsyncDriver) -> list[UrlLiteral]:
        """Return the literals that gave a database its URL."""
        variable = _find_variable(database.text)
        if variable:
            raise _Obstacle(
                f"the database URL comes from the environment variable {variable}",
                _advise(variable, driver),
            )
        if database.key == _ENGINES:
            known = [literal for call in self._engines for literal in call.literals]
        else:
            known = list(list_settings(self._files, database.key))
        found = [
            literal
            for literal in known
            if _gave(literal, database) and not self._is_of_other_class(literal, database)
        ]
        if not found:
            raise _Obstacle(
                f"no line of the project's source says the URL in `{database.key}`: it comes from"
                " the environment or from a file",
                f"Where it is set, write `{driver.scheme}://` in the place of"
                f" `{database.url.drivername}://`.",
            )
        return found

    def _is_of_other_class(self, literal: UrlLiteral, database: _Database) -> bool:
        """Return whether a literal is that of a class of settings with another URL."""
        cls = literal.find_class()
        module = sys.modules.get(self._files.name_module(literal.file.name))
        live = getattr(module, "__dict__", {}).get(cls.name.value) if cls is not None else None
        value = vars(live).get(database.key) if isinstance(live, type) else None
        return isinstance(value, str) and value != database.text

    def _check_uses(
        self, database: _Database, driver: AsyncDriver, literals: list[UrlLiteral]
    ) -> None:
        """Raise for code that needs the sync driver, its options, or the URL as it is."""
        after = database.text.replace(database.url.drivername, driver.scheme, 1)
        names = {literal.name for literal in literals} | {database.key}
        place = find_url_use(self._files, names - {"", _ENGINES}, database.text, after)
        if place is not None:
            raise _Obstacle("the database URL is used for something else as well", place=place)
        use = find_driver_use(self._files, driver)
        if use is not None:
            raise _Obstacle(use.reason, place=use.place)
        for call in self._engines:
            options = call.read_options()
            unknown = "**" if options is None else find_unknown_option(driver, options)
            if unknown is not None:
                raise _build_option_obstacle(unknown, driver, call.place)

    def _check_other_engines(self, changed: Collection[int]) -> None:
        """Raise for an engine with a URL of its own, which no live object shows.

        Args:
            changed: The ids of the literals that change.
        """
        for call in self._engines:
            if any(
                id(literal.node) not in changed and _is_sync(literal) for literal in call.literals
            ):
                reason = "another engine is made here, with a driver that blocks"
                raise _Obstacle(reason, place=call.place)

    def _judge(self, driver: AsyncDriver) -> Safety:
        if driver.differences and find_plain_sql(self._files) is not None:
            return Safety.UNSAFE
        return driver.safety


def _build_option_obstacle(
    option: str, driver: AsyncDriver, place: Place | None = None
) -> _Obstacle:
    reason = f"the engine is made with the option `{option}`, which {driver.module} may not take"
    return _Obstacle(reason, place=place)


def _choose(database: _Database) -> AsyncDriver:
    url = database.url
    driver = choose_driver(url.get_backend_name(), url.get_driver_name())
    if driver is None:
        raise _Obstacle(f"no async driver of SQLAlchemy is known to do what {url.drivername} does")
    if driver.module == "aiosqlite":
        _check_sqlite(database)
    unknown = find_unknown_option(driver, database.options)
    unknown = unknown or next((name for name in url.query if name not in driver.arguments), None)
    if unknown is not None:
        raise _build_option_obstacle(unknown, driver)
    return driver


def _check_sqlite(database: _Database) -> None:
    name = database.url.database
    if name in {None, "", ":memory:"} or "mode=memory" in database.text:
        raise _Obstacle("the database is in memory, where there is nothing to wait for")


def _gave(literal: UrlLiteral, database: _Database) -> bool:
    return literal.begins(database.text) or literal.text == database.url.drivername


def _is_sync(literal: UrlLiteral) -> bool:
    """Return whether the driver that a literal names blocks, or is not known."""
    scheme, found, _ = literal.text.partition("://")
    return bool(found) and not _is_async(scheme)


def _is_async(scheme: str) -> bool:
    from sqlalchemy.engine import make_url  # noqa: PLC0415  the app has it, flasync need not
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415  as above

    try:
        return bool(make_url(f"{scheme}://").get_dialect().is_async)
    except (ArgumentError, NoSuchModuleError):
        return False


def _find_variable(url: str) -> str | None:
    """Return the environment variable that a URL was taken from, if its value is to be seen."""
    for name, value in os.environ.items():
        if "://" in value and url in {value, value.replace("postgres://", "postgresql://", 1)}:
            return name
    return None


def _advise(variable: str, driver: AsyncDriver) -> str:
    schemes = dict.fromkeys((driver.scheme, _SERVER_SCHEME))
    examples = " or ".join(f"`{scheme}://`" for scheme in schemes)
    return (
        f"Where {variable} is set, in the environment or a file, its URL must name an async driver"
        f" as well, such as {examples}."
    )


def _change(
    database: _Database, driver: AsyncDriver, literal: UrlLiteral, safety: Safety
) -> TextChange:
    """Return the edit of a literal: its scheme becomes that of the driver."""
    before = literal.text.partition("://")[0]
    line, column = literal.locate_start()
    edit = Edit(literal.file.name, (line, column), (line, column + len(before)), driver.scheme)
    reason = f"`{driver.scheme}` waits without blocking, where `{before}` blocks"
    return TextChange(edit, safety, reason)
