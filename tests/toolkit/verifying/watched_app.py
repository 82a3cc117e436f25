"""An app whose requests spend their time in known places: lines that end with `# at name`."""

import asyncio
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests
from flask import Flask, Response, request

from flasync import await_, run_sync
from flasync.bridge import carry

PAUSE_S = 0.1

app = Flask(__name__)
app.config["WORKER_THREADS"] = 2
lock = threading.Lock()
semaphore = threading.Semaphore(0)
gate = threading.Event()
turns = asyncio.Semaphore(1)
rows = [{"number": number, "name": "x" * 20} for number in range(100_000)]
children: set[asyncio.Task[None]] = set()


class Upstream(BaseHTTPRequestHandler):
    """A slow service."""

    def do_GET(self) -> None:
        """Answer late."""
        time.sleep(PAUSE_S)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


upstream = HTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=upstream.serve_forever, daemon=True).start()


@app.get("/sleep")
async def sleep() -> str:
    time.sleep(PAUSE_S)  # at sleep
    return ""


@app.get("/await")
async def wait() -> str:
    await asyncio.sleep(  # at await
        PAUSE_S
    )
    return ""


@app.get("/sync")
def sync() -> str:
    time.sleep(PAUSE_S)  # at sync
    await_(asyncio.sleep(PAUSE_S))  # at bridged
    return ""


@app.get("/run-sync")
async def offloaded() -> str:
    await run_sync(time.sleep, PAUSE_S)  # at run-sync
    return ""


@app.get("/requests")
async def fetch() -> str:
    return requests.get(f"http://127.0.0.1:{upstream.server_port}").text  # at requests


@app.get("/lock")
async def acquire() -> str:
    lock.acquire(timeout=1)
    lock.acquire(timeout=PAUSE_S)  # at lock
    lock.release()
    return ""


@app.get("/with-lock")
async def enter() -> str:
    lock.acquire()
    threading.Timer(PAUSE_S, lock.release).start()
    with lock:  # at with-lock
        return ""


@app.get("/semaphore")
def acquire_semaphore() -> str:
    semaphore.acquire(timeout=PAUSE_S)  # at semaphore
    return ""


@app.get("/hold")
def hold() -> str:
    gate.wait()
    return ""


@app.get("/let-go")
async def let_go() -> str:
    gate.set()
    return ""


@app.get("/turns")
async def take_turn() -> str:
    async with turns:  # at turns
        await asyncio.sleep(PAUSE_S)
    return ""


@app.get("/hash")
async def digest() -> str:
    return hashlib.pbkdf2_hmac("sha256", b"a", b"b", 300_000).hex()  # at hash


@app.get("/json")
async def dump() -> str:
    return json.dumps(rows)[:1]  # at json


@app.get("/sqlite")
async def busy_database() -> str:
    name = request.args["path"]
    with sqlite3.connect(name) as holder, sqlite3.connect(name, timeout=PAUSE_S) as database:
        holder.execute("BEGIN EXCLUSIVE")
        try:
            database.execute("CREATE TABLE names (name)")  # at sqlite
        except sqlite3.OperationalError as error:
            return str(error)
    return "it was not locked"


@app.get("/compute")
async def compute() -> str:
    total = 0
    for number in range(2_000_000):
        total += number * number
    return str(total)


@app.get("/gather")
async def gather() -> str:
    await asyncio.gather(rest(), asyncio.sleep(PAUSE_S / 2), run_sync(time.sleep, PAUSE_S))
    return ""


async def rest() -> None:
    """Wait and run for longer than the thread."""
    await asyncio.sleep(PAUSE_S * 2)  # at gather


@app.get("/stream")
async def stream() -> AsyncGenerator[str]:
    for _ in range(3):
        await asyncio.sleep(PAUSE_S / 3)
        yield "x"


@app.get("/sync-stream")
def sync_stream() -> Response:
    def write() -> Generator[str]:
        for _ in range(3):
            time.sleep(PAUSE_S / 3)  # at sync-stream
            yield "x"

    return Response(write())


@app.get("/fail")
async def fail() -> str:
    await asyncio.sleep(PAUSE_S)
    raise LookupError("as planned")


@app.get("/many")
async def many() -> str:
    for _ in range(2000):
        await asyncio.sleep(0)
    return ""


@app.get("/outlived")
async def outlived() -> str:
    child = asyncio.create_task(asyncio.sleep(PAUSE_S))
    children.add(child)
    child.add_done_callback(children.discard)
    return ""


@app.get("/nested")
async def nested() -> str:
    begun = carry(asyncio.sleep(PAUSE_S))
    begun.send(None)  # as an eager task does: it runs inside of this stretch
    time.sleep(PAUSE_S)  # at nested
    begun.close()
    return ""


class Odd:
    """An object that does not like to be looked at."""

    def __getattribute__(self, name: str) -> object:
        if name in {"__module__", "__qualname__", "__class__", "__dict__"}:
            raise ValueError(name)
        return super().__getattribute__(name)

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)  # at odd


odd = Odd()


@app.get("/odd")
async def look_at_odd() -> str:
    odd.rest(PAUSE_S)
    return ""


@app.get("/timed")
async def timed() -> Response:
    time.sleep(PAUSE_S)
    return Response("", headers={"Server-Timing": 'db;dur=3;desc="a, b"'})


@app.get("/forever")
async def forever() -> str:
    await asyncio.Event().wait()  # at forever
    return ""
