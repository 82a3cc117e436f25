"""Two figures about databases: what a bridged query costs, and what waiting in PostgreSQL costs.

Run by `scripts/bench-data`; needs PostgreSQL, see `POSTGRES`.
"""

import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import flasync
from flasync.bridge import drive

POSTGRES = os.environ.get("FLASYNC_TEST_POSTGRES_ADMIN", "postgresql://postgres@127.0.0.1:5432")
DATABASE = "flasync_data_bench"

ROUNDS = 40
QUERIES = 100
"""Queries a slice; a round is one slice of each kind."""

REQUESTS = 50
SLEEP_S = 0.2
THREADS = 10
REPEATS = 10
DEADLINE_S = 60


class Base(DeclarativeBase):
    """The base of the model."""


class Book(Base):
    """A row of an ordinary table."""

    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def build_url(driver: str) -> str:
    """The URL of the benchmark's database with a driver."""
    return f"{POSTGRES.replace('postgresql', f'postgresql+{driver}', 1)}/{DATABASE}"


# --- what a bridged query costs ----------------------------------------------------------------


async def measure_overhead() -> tuple[float, float]:
    """Microseconds of one query: through `AsyncSession`, and bridged. Medians of the slices.

    Both load the same rows through the same engine, on the same loop, slice by slice in turn.
    """
    engine = create_async_engine(build_url("asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
        rows = [{"id": number, "title": f"Book {number}"} for number in range(QUERIES)]
        await connection.execute(sa.insert(Book), rows)

    async def ask_async() -> None:
        for number in range(QUERIES):
            async with AsyncSession(engine) as session:
                book = await session.get(Book, number)
                assert book is not None

    def ask_bridged() -> None:
        for number in range(QUERIES):
            with Session(engine.sync_engine) as session:
                assert session.get(Book, number) is not None

    async def carry() -> None:
        await drive(partial(ask_bridged))

    kinds = (ask_async, carry)
    times_s: dict[Any, list[float]] = {kind: [] for kind in kinds}
    for turn in range(ROUNDS + 2):
        for kind in kinds if turn % 2 else reversed(kinds):
            started = time.perf_counter()
            await kind()
            if turn >= 2:  # the first rounds warm up
                times_s[kind].append(time.perf_counter() - started)
    await engine.dispose()
    first, second = (statistics.median(times_s[kind]) / QUERIES * 1e6 for kind in kinds)
    return first, second


# --- what waiting costs ------------------------------------------------------------------------


def create_app() -> Flask:
    """The app that is served, by the URL in the environment: one view, one query that waits."""
    url = os.environ["BENCH_DATA_URL"]
    app = flasync.Flask("sleeping") if "asyncpg" in url else Flask("sleeping")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": REQUESTS, "max_overflow": 0},
    )
    db = SQLAlchemy(app)

    @app.get("/")
    @flasync.on_loop
    def view() -> str:
        db.session.execute(sa.text("SELECT pg_sleep(:seconds)"), {"seconds": SLEEP_S})
        return "slept"

    return app


APP = "benchmarks.data:create_app()"
STACKS = {
    f"psycopg2, gunicorn, {THREADS} threads": (
        "psycopg2",
        ["gunicorn", "-k", "gthread", "--threads", str(THREADS), "--bind", "127.0.0.1:{port}", APP],
    ),
    "asyncpg, flasync's loop lane, uvicorn": (
        "asyncpg",
        ["uvicorn", "--factory", "--log-level", "error", "--port", "{port}", APP[:-2]],
    ),
}


def measure_waiting(driver: str, command: list[str]) -> tuple[float, float]:
    """Seconds that the requests take, all sent at once, and MiB of peak memory.

    The best time of a few: whatever else the machine does comes on top.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", *(part.format(port=port) for part in command)],
        env={**os.environ, "BENCH_DATA_URL": build_url(driver)},
        stderr=subprocess.DEVNULL,
    )
    try:
        return asyncio.run(load(port, process)), read_peak_mib(process.pid)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


async def load(port: int, process: subprocess.Popen[bytes]) -> float:
    """Send the requests, a few times, after a first time that fills the pool."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            await ask(port)
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)  # the poll's pace, until the server listens
    times_s = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        await asyncio.gather(*(ask(port) for _ in range(REQUESTS)))
        times_s.append(time.perf_counter() - started)
    return min(times_s[1:])


async def ask(port: int) -> None:
    """Send one request, by hand: a client library would take more time than the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    assert b" 200 " in answer and answer.endswith(b"slept"), answer
    writer.close()


def read_peak_mib(pid: int) -> float:
    """Peak memory of a process and of its children, from Linux's accounts."""
    peak_kib = 0
    for process in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        status = Path(f"/proc/{process}/status").read_text()
        peak_kib += int(status.partition("VmHWM:")[2].split()[0])
    return peak_kib / 1024


def main() -> None:
    """Measure both and print them as Markdown."""
    admin = psycopg2.connect(f"{POSTGRES}/postgres")
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    try:
        plain_us, bridged_us = asyncio.run(measure_overhead())
        print(f"Python {platform.python_version()}, SQLAlchemy {sa.__version__}\n")
        print("| one row by primary key, asyncpg | µs | ratio |")
        print("|---|---|---|")
        print(f"| SQLAlchemy's AsyncSession | {plain_us:.0f} | 1.00 |")
        print(f"| plain Session, bridged | {bridged_us:.0f} | {bridged_us / plain_us:.2f} |\n")
        print(f"| {REQUESTS} requests at once, each `pg_sleep({SLEEP_S})` | s | ratio | peak MiB |")
        print("|---|---|---|---|")
        first_s = None
        for name, (driver, command) in STACKS.items():
            taken_s, peak_mib = measure_waiting(driver, command)
            first_s = first_s or taken_s
            print(f"| {name} | {taken_s:.2f} | {taken_s / first_s:.2f} | {peak_mib:.0f} |")
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        admin.close()


if __name__ == "__main__":
    main()
