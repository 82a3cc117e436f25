"""What lets only some in at a time, told by the functions in which its users wait.

A pool of connections, a lock and a semaphore look alike from outside: some requests run, the
others wait. Which of them it is stands in the stack of a request that waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Of each kind: the functions in which one waits for it, as "module:qualified name". A pool is made
# of locks and queues, so it comes first.
_FUNCTIONS = {
    "pool": (
        r"sqlalchemy\.pool\..*:.*_do_get",
        r"sqlalchemy\.util\.queue:.*\.get",
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
    ),
    "semaphore": (
        r"asyncio\.locks:(Bounded)?Semaphore\.acquire",
        r"threading:(Bounded)?Semaphore\.acquire",
        r"anyio\..*:(Semaphore|CapacityLimiter)\.(acquire|acquire_on_behalf_of)",
    ),
    "lock": (
        r"asyncio\.locks:Lock\.acquire",
        r"flasync\.loop_free:LoopFreeLock\.acquire",
        r"threading:_?RLock\.acquire",
        r"anyio\..*:Lock\.acquire",
        r"redis\..*lock:Lock\.acquire",
        r"filelock\..*:.*acquire",
    ),
}
_PATTERNS = {
    kind: re.compile("|".join(f"(?:{function})" for function in functions))
    for kind, functions in _FUNCTIONS.items()
}

# Calls by which code takes a lock of C, which has no frame of its own; `with lock:` has no call.
_LOCK_CALL = re.compile(r"(?:.*[._])?(?:r?lock|mutex|guard)(?:\.acquire|\.__enter__)?", re.I)


def find_limit(functions: Iterable[str], call: str = "") -> str:
    """Return what kind of limit a stack waits for; "" if it is none that is known.

    Args:
        functions: Of each frame "module:qualified name", as "asyncio.locks:Lock.acquire".
        call: What the innermost line calls, as it stands in the source: "stock_lock.acquire".
    """
    names = tuple(functions)
    for kind, pattern in _PATTERNS.items():
        if any(map(pattern.fullmatch, names)):
            return kind
    return "lock" if _LOCK_CALL.fullmatch(call) else ""
