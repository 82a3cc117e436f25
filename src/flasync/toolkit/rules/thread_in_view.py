"""FSY204: a thread that a request starts and leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from flasync.toolkit.finding import Finding
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.request_walk import find_loop_functions
from flasync.toolkit.rules.code_rule import CodeRule
from flasync.toolkit.rules.rule import Case, Page, Program

_STARTERS = {
    "_thread.start_new_thread": "_thread.start_new_thread",
    "threading.Thread.start": "threading.Thread.start",
    "threading.Timer.start": "threading.Timer.start",
}
_JOIN = "threading.Thread.join"

_APP = """\
import threading

import flask

app = flask.Flask(__name__)


def send_mail(to):
    return to

"""


class ThreadInView(CodeRule):
    """Finds threads that outlive the request that has started them."""

    code = "FSY204"
    name = "thread-in-view"
    advice = (
        "Hand the work to a job queue (Celery, RQ, Dramatiq); if the answer may wait for it, write"
        " an `async def` view and `await flasync.run_sync(function)`."
    )

    page = Page(
        what=(
            "Finds `threading.Thread(…).start()` and `threading.Timer(…).start()` in code that runs"
            " in requests, unless the same function waits for the thread with `join()`."
        ),
        why=(
            "Nobody looks after such a thread. It has no request: `request`, `session` and `g`"
            " raise `RuntimeError: Working outside of request context` in it. What it raises"
            " reaches no error handler. When the server restarts or replaces the worker, the work"
            " is cut off and lost. And every request may add one more thread, without any limit,"
            " until the process has no memory or no database connections left."
        ),
        example="""\
@app.post("/orders")
def order():
    save_order(request.form)
    threading.Thread(target=send_mail, args=(request.form["email"],)).start()
    return redirect("/thanks")
""",
        instead="""\
@app.post("/orders")
def order():
    save_order(request.form)
    queue.enqueue(send_mail, request.form["email"])  # a job queue, here RQ
    return redirect("/thanks")
""",
        fix_safety=(
            "No edit is made: whether the work may be lost, and whether the visitor may wait for"
            " it, is your decision. Work given to `executor.submit(…)` is not reported: the number"
            " of threads has a limit there, and errors are kept in the future that it returns."
        ),
        references=(
            (
                "Flask: background tasks with Celery",
                "https://flask.palletsprojects.com/en/stable/patterns/celery/",
            ),
            ("RQ", "https://python-rq.org/docs/"),
        ),
    )

    invalid = (
        Case(
            "started in a view",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    threading.Thread(target=send_mail, args=("a",)).start()  # FSY204
    thread = threading.Thread(target=send_mail, args=("b",), daemon=True)
    thread.start()  # FSY204
    return "sent"
"""
            },
        ),
        Case(
            "a timer under another name, in a helper",
            {
                "app.py": """\
from threading import Timer as Later

import flask

app = flask.Flask(__name__)


def remind(to):
    Later(60, print, [to]).start()  # FSY204


@app.get("/")
async def index():
    remind("reader")
    return "later"
"""
            },
        ),
        Case(
            "a class of the project",
            {
                "app.py": _APP
                + """
class Mailer(threading.Thread):
    def __init__(self, to):
        super().__init__(daemon=True)
        self.to = to

    def run(self):
        send_mail(self.to)


@app.get("/")
def index():
    Mailer("reader").start()  # FSY204
    return "sent"
"""
            },
        ),
        Case(
            "in a hook and in an error handler",
            {
                "app.py": _APP
                + """
@app.after_request
def count(response):
    threading.Thread(target=send_mail, args=("statistics",)).start()  # FSY204
    return response


@app.errorhandler(404)
def tell(error):
    threading.Thread(target=send_mail, args=("admin",)).start()  # FSY204
    return "missing", 404


@app.get("/")
def index():
    return "counted"
"""
            },
        ),
        Case(
            "in a decorator",
            {
                "app.py": _APP
                + """
def in_background(function):
    def start(*args):
        thread = threading.Thread(target=function, args=args)
        thread.start()  # FSY204
        return thread

    return start


notify = in_background(send_mail)


@app.get("/")
def index():
    notify("reader")
    return "sent"
"""
            },
        ),
    )
    valid = (
        Case(
            "joined before the answer",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    threads = [threading.Thread(target=send_mail, args=(to,)) for to in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "sent"
"""
            },
        ),
        Case(
            "an executor",
            {
                "app.py": _APP
                + """
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(4)


@app.get("/")
def index():
    executor.submit(send_mail, "reader")
    return "sent"
"""
            },
        ),
        Case(
            "before serving, in a command and in the main part",
            {
                "app.py": _APP
                + """
def start_poller():
    threading.Thread(target=send_mail, args=("poll",), daemon=True).start()


@app.cli.command("poll")
def poll():
    start_poller()


@app.get("/")
def index():
    return "polled"


if __name__ == "__main__":
    start_poller()
"""
            },
        ),
        Case(
            "other things that start",
            {
                "app.py": _APP
                + """
class Engine:
    def start(self):
        return "running"


class Thread:
    def start(self):
        return "spun"


@app.get("/")
def index():
    # threading.Thread(target=send_mail).start()
    return Engine().start() + Thread().start()
"""
            },
        ),
        Case(
            "made and not started",
            {
                "app.py": _APP
                + """
@app.get("/")
def index():
    thread = threading.Thread(target=send_mail, args=("a",), name="mail")
    return thread.name
"""
            },
        ),
        Case(
            "run_sync, which waits",
            {
                "app.py": _APP
                + """
from flasync import run_sync


@app.get("/")
async def index():
    return await run_sync(send_mail, "reader")
"""
            },
        ),
    )

    def look(self, program: Program) -> Iterator[Finding]:
        """Yield the starts of threads in requests that are not joined in the same function."""
        for function in find_loop_functions(program):
            if _joins(function):
                continue
            for site in function.sites:
                for name in site.names:
                    if name in _STARTERS:
                        message = (
                            f"`{site.text}` starts a thread that outlives the request: it has no"
                            " `request` and no `session`, its errors reach no handler, and a"
                            " restart of the server cuts it off"
                        )
                        yield self.report(site.place, _STARTERS[name], message, function)


def _joins(function: FunctionNode) -> bool:
    return any(_JOIN in site.names for site in function.sites)
