"""Run as a program: a pool is used, the process forks, and both go on. Prints what happened."""

import json
import os
import sys
from typing import Any

import sqlalchemy as sa

import flasync


def main(url: str) -> None:
    """Fork in the middle of the life of a pool.

    Args:
        url: A PostgreSQL URL with an async driver.
    """
    flasync.Flask("forking")
    engine = sa.create_engine(url, pool_size=1, max_overflow=0)

    def ask() -> Any:
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT pg_backend_pid()"))

    before = ask()
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        os.write(writable, json.dumps([ask(), ask()]).encode())
        sys.exit(0)  # as a worker does: with all finalizers
    _, status = os.waitpid(child, 0)
    print(
        json.dumps(
            {
                "before": before,
                "child": json.loads(os.read(readable, 1000)),
                "after": ask(),
                "status": status,
            }
        )
    )


main(sys.argv[1])
