"""What lets only some in at a time, told by the functions in which its users wait.

A pool of connections, a lock and a semaphore look alike from outside: some requests run, the
others wait. Which of them it is stands in the stack of a request that waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The functions of pools in which one waits for a connection, as "module:qualified name".
_POOLS = (
    r"sqlalchemy\.pool\..*:.*_do_get",
    r"sqlalchemy\.util\.queue:.*\.get",
    r"flasync\.loop_free:LoopFreeQueue\.get",
    r"asyncpg\.pool:Pool\._acquire.*",
    r"psycopg_pool\..*:.*(getconn|_getconn|wait)",
    r"psycopg2\.pool:.*getconn",
    r"aiomysql\.pool:Pool\._acquire",
    r"asyncmy\.pool:Pool\._acquire",
    r"redis\.asyncio\.connection:BlockingConnectionPool\.get_connection",
    r"redis\.connection:BlockingConnectionPool\.get_connection",
    r"http(core|core2)\._(a?sync)\..*:.*wait_for_connection",
    r"aiohttp\.connector:.*(_wait_for_available_connection|_available_connections)",
    r"urllib3(_future)?\.connectionpool:.*_get_conn",
    r"pymongo\..*pool.*:.*(checkout|_get_conn).*",
)

_POOL = re.compile("|".join(f"(?:{function})" for function in _POOLS))

# Where locks and semaphores are made. If the project's code waits right there, it waits for one of
# its own; a library's own locks guard its state, and whoever waits there waits for something else.
_LOCK_MODULES = re.compile(
    r"(asyncio\.locks|threading|anyio\..*|filelock\..*|flasync\.loop_free):.*"
)
_LOCKS = {
    "semaphore": re.compile(r".*:(Bounded)?(Semaphore|CapacityLimiter)\..*"),
    "lock": re.compile(r".*:\w*Lock\..*"),
}

# On the way from sync code to what it waits for.
_BRIDGE = ("flasync.bridge:", "flasync.threads:", "flasync.bridged:")

# Calls by which code takes a lock of C, which has no frame of its own.
_LOCK_CALL = re.compile(r"(?:.*[._])?(?:r?lock|mutex|guard)(?:\.acquire|\.__enter__)?", re.I)


def find_limit(functions: Iterable[str], call: str = "") -> str:
    """Return what kind of limit a stack waits for; "" if it is none that is known.

    Args:
        functions: Of each frame inside the project's innermost line, "module:qualified name", as
            "asyncio.locks:Lock.acquire".
        call: What that line calls, as "threading.Lock".
    """
    names = [name for name in functions if not name.startswith(_BRIDGE)]
    if any(map(_POOL.fullmatch, names)):
        return "pool"
    if all(map(_LOCK_MODULES.fullmatch, names)):
        for kind, pattern in _LOCKS.items():
            if any(map(pattern.fullmatch, names)):
                return kind
        return "lock" if _LOCK_CALL.fullmatch(call) else ""
    return ""
