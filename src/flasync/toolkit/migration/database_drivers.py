"""Which async driver of SQLAlchemy takes the place of a sync one, and which options both know."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flasync.toolkit.migration.plan import Safety

# `create_engine` takes these with every driver.
_ENGINE_OPTIONS = frozenset(
    "connect_args echo echo_pool execution_options future hide_parameters"
    " insertmanyvalues_page_size isolation_level json_deserializer json_serializer logging_name"
    " max_identifier_length max_overflow pool_logging_name pool_pre_ping pool_recycle"
    " pool_reset_on_return pool_size pool_timeout pool_use_lifo query_cache_size"
    " use_insertmanyvalues".split()
)
_SQLITE_ARGUMENTS = frozenset(
    "autocommit cached_statements check_same_thread detect_types isolation_level timeout"
    " uri".split()
)
_NULL_POOL = "NullPool"
# What libpq takes, by which psycopg2 and psycopg connect alike.
_LIBPQ_ARGUMENTS = frozenset(
    "application_name channel_binding client_encoding connect_timeout dbname"
    " fallback_application_name gssencmode gsslib host hostaddr keepalives keepalives_count"
    " keepalives_idle keepalives_interval krbsrvname load_balance_hosts options passfile password"
    " port require_auth requirepeer service ssl_max_protocol_version ssl_min_protocol_version"
    " sslcert sslcertmode sslcompression sslcrl sslkey sslmode sslnegotiation sslpassword"
    " sslrootcert sslsni target_session_attrs tcp_user_timeout user".split()
)
_MYSQL_ARGUMENTS = frozenset("charset connect_timeout init_command sql_mode unix_socket".split())


@dataclass(frozen=True, slots=True)
class AsyncDriver:
    """An async driver that takes the place of a sync one.

    Attributes:
        scheme: What the URL begins with, such as "sqlite+aiosqlite".
        module: The package that must be there.
        requirement: What to install for it.
        arguments: What both drivers take, in `connect_args` and in the URL's query.
        module_before: The package of the sync driver.
        is_same: Whether both are faces of one library, so that no value and no error differs.
        differences: What may differ for raw SQL, the end of a sentence; "" for nothing.
        safety: How sure the exchange is for an app that leaves its SQL to SQLAlchemy.
    """

    scheme: str
    module: str
    requirement: str
    arguments: frozenset[str]
    module_before: str
    is_same: bool = False
    differences: str = ""
    safety: Safety = Safety.SAFE


_PSYCOPG_DIFFERS = (
    "psycopg sends the parameters of a text() apart from its SQL, and PostgreSQL takes them in"
    " fewer places than psycopg2 writes them"
)
_ASYNCPG_DIFFERS = "asyncpg takes no string for a number or a date, as psycopg2 does"
_FROM_PSYCOPG = AsyncDriver(
    "postgresql+psycopg_async", "psycopg", "psycopg", _LIBPQ_ARGUMENTS, "psycopg", is_same=True
)
_FROM_PSYCOPG2 = (
    AsyncDriver(
        "postgresql+psycopg_async",
        "psycopg",
        "psycopg[binary]",
        _LIBPQ_ARGUMENTS,
        "psycopg2",
        differences=_PSYCOPG_DIFFERS,
    ),
    AsyncDriver(
        "postgresql+asyncpg",
        "asyncpg",
        "asyncpg",
        frozenset(),
        "psycopg2",
        differences=_ASYNCPG_DIFFERS,
        safety=Safety.UNSAFE,
    ),
)
_FROM_PYMYSQL = (
    AsyncDriver(
        "mysql+asyncmy", "asyncmy", "asyncmy", _MYSQL_ARGUMENTS | {"read_timeout"}, "pymysql"
    ),
    AsyncDriver("mysql+aiomysql", "aiomysql", "aiomysql", _MYSQL_ARGUMENTS, "pymysql"),
)
_FROM_MYSQLDB = tuple(
    AsyncDriver(
        driver.scheme,
        driver.module,
        driver.requirement,
        driver.arguments,
        "MySQLdb",
        safety=Safety.UNSAFE,
        differences="mysqlclient reads values in C, by rules of its own",
    )
    for driver in _FROM_PYMYSQL
)
_FROM_SQLITE = AsyncDriver(
    "sqlite+aiosqlite", "aiosqlite", "aiosqlite", _SQLITE_ARGUMENTS, "sqlite3", is_same=True
)
# By the backend and the driver of SQLAlchemy; the first is taken if none of them is installed.
_DRIVERS: Mapping[tuple[str, str], tuple[AsyncDriver, ...]] = {
    ("sqlite", "pysqlite"): (_FROM_SQLITE,),
    ("postgresql", "psycopg"): (_FROM_PSYCOPG,),
    ("postgresql", "psycopg2"): _FROM_PSYCOPG2,
    ("mysql", "pymysql"): _FROM_PYMYSQL,
    ("mysql", "mysqldb"): _FROM_MYSQLDB,
    ("mariadb", "pymysql"): _FROM_PYMYSQL,
}


def choose_driver(backend: str, driver: str) -> AsyncDriver | None:
    """Return the async driver for a sync one, or None when none is known that does the same.

    One that is installed goes before one that is not.
    """
    known = _DRIVERS.get((backend, driver), ())
    installed = [candidate for candidate in known if _is_installed(candidate.module)]
    return next(iter((*installed, *known)), None)


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def find_unknown_option(driver: AsyncDriver, options: Mapping[str, Any]) -> str | None:
    """Return the first option of an engine that an async driver may not take, or None.

    Args:
        driver: The driver.
        options: What `create_engine` is given, besides the URL: the values themselves, or, as read
            from the source, the name of a pool's class and a dict with the same keys.
    """
    for name, value in options.items():
        if name == "poolclass" and _NULL_POOL in {value, getattr(value, "__name__", "")}:
            continue  # the one class of a pool that serves both
        if name not in _ENGINE_OPTIONS:
            return name
        if name == "connect_args":
            if not isinstance(value, Mapping):
                return name
            unknown = next((key for key in value if key not in driver.arguments), None)
            if unknown is not None:
                return f"connect_args: {unknown}"
        # SQLAlchemy sets it on an aiosqlite connection only from code that runs on the loop.
        if _sets_isolation_level(name, value) and driver.module == "aiosqlite":
            return "isolation_level"
    return None


def _sets_isolation_level(name: str, value: Any) -> bool:
    return name == "isolation_level" or (
        name == "execution_options" and isinstance(value, Mapping) and "isolation_level" in value
    )
