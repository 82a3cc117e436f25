"""What a trace tells of one request, in both lanes."""

import inspect
from pathlib import Path
from textwrap import dedent

import pytest

from flasync.errors import AppStartError
from flasync.toolkit.tracing.memory_client import Message
from flasync.toolkit.tracing.trace import Action, Kind
from flasync.toolkit.tracing.tracing import Order, trace_request
from toolkit.tracing.conftest import Tracer, build_app, find_line, find_step, list_actions

LESSON = """
@app.route("/")
async def home():
    await asyncio.sleep(0.01)
    return "Hello"
"""

STATES = [
    inspect.CORO_CREATED,
    inspect.CORO_RUNNING,
    inspect.CORO_SUSPENDED,
    inspect.CORO_RUNNING,
    inspect.CORO_RUNNING,
    inspect.CORO_CLOSED,
]


def test_the_view_of_every_lesson(trace: Tracer) -> None:
    """Received, started, paused at the await, resumed, returning, completed; four states."""
    seen = trace(LESSON)
    assert list_actions(seen) == [
        Action.RECEIVED,
        Action.LANE,
        Action.CREATED,
        Action.STARTED,
        Action.PAUSED,
        Action.RESUMED,
        Action.RETURNING,
        Action.COMPLETED,
        Action.SENT,
        Action.ENDED,
    ]
    assert [step.state for step in seen.steps if step.state] == STATES
    paused = find_step(seen, Action.PAUSED)
    assert paused.text == "paused at `await asyncio.sleep(0.01)`"
    assert paused.place == find_line(LESSON, "sleep")
    assert paused.result == "waits for a timer, `asyncio.sleep`"
    assert find_step(seen, Action.LANE).result == "`home` is async"
    assert find_step(seen, Action.RETURNING).result == "the view returned 'Hello'"
    assert find_step(seen, Action.SENT).result == "200, text/html, 5 bytes"
    assert (seen.status, seen.body_bytes, seen.findings) == (200, 5, ())
    assert seen.waited_ms == paused.duration_ms


def test_an_await_that_is_missing(trace: Tracer) -> None:
    """Without its `await` the coroutine is named with its line, as a finding."""
    code = LESSON.replace("await ", "")
    seen = trace(code)
    assert Action.PAUSED not in list_actions(seen)
    (finding,) = seen.findings
    assert finding.kind is Kind.UNAWAITED
    assert finding.place == find_line(code, "sleep")
    assert finding.sentence.endswith("Write `await asyncio.sleep(0.01)`")
    assert find_step(seen, Action.UNAWAITED).number == finding.step


def test_a_coroutine_that_a_variable_keeps(trace: Tracer) -> None:
    """One that is kept to the end of the view, and one made in a thread, are found too."""
    code = """
    async def fetch():
        pass

    @app.route("/")
    async def home():
        kept = fetch()
        return "Hello"

    @app.route("/sync")
    def sync():
        kept = fetch()
        return "Hello"
    """
    for number, path in enumerate(["/", "/sync"]):
        (finding,) = trace(code, path).findings
        first = int(find_line(code, "kept").partition(":")[2])
        assert finding.place == f"shop.py:{first + number * 5}"


def test_others_are_served_meanwhile(trace: Tracer) -> None:
    """A pause tells how many other requests ran in it."""
    code = """
    barrier = None

    @app.route("/")
    async def home():
        global barrier
        barrier = barrier or asyncio.Barrier(4)
        await barrier.wait()
        return "Hello"
    """
    resumed = find_step(trace(code, beside=3), Action.RESUMED)
    assert resumed.result.endswith("; the loop served 3 other requests meanwhile")


def test_a_sync_view_in_a_thread(trace: Tracer) -> None:
    """It waits for its thread, and its `await_` is a pause in that thread."""
    code = """
    @app.route("/<int:n>")
    def view(n):
        flasync.await_(asyncio.sleep(0.01))
        doubled = n * 2
        return str(doubled)
    """
    seen = trace(code, "/4")
    assert seen.lane == "thread"
    assert list_actions(seen)[:6] == [
        Action.RECEIVED,
        Action.LANE,
        Action.QUEUED,
        Action.STARTED,
        Action.PAUSED,
        Action.RESUMED,
    ]
    assert find_step(seen, Action.LANE).result == "`view` is a plain `def`"
    assert find_step(seen, Action.QUEUED).result.startswith("flasync-1, one of 40, after")
    paused = find_step(seen, Action.PAUSED)
    assert (paused.thread, paused.state) == ("flasync-1", "waiting")
    assert paused.text == "paused at `flasync.await_(asyncio.sleep(0.01))`"
    changes = [(item.name, item.value) for step in seen.steps for item in step.variables]
    assert changes == [("n", "4"), ("doubled", "8")]


@pytest.mark.parametrize(
    ("mark", "kind", "lane", "why"),
    [
        ("flasync.on_loop", "", "loop", "`view` is marked `@on_loop`"),
        ("flasync.in_thread", "async ", "thread", "`view` is marked `@in_thread`"),
    ],
)
def test_marks(trace: Tracer, mark: str, kind: str, lane: str, why: str) -> None:
    """A lane that a mark has chosen is told so."""
    seen = trace(f"@app.route('/')\n@{mark}\n{kind}def view():\n    return 'x'\n")
    assert (seen.lane, find_step(seen, Action.LANE).result) == (lane, why)
    assert Action.RETURNING in list_actions(seen)


def test_hooks(trace: Tracer) -> None:
    """Hooks of all kinds have a step each, in their order, and async ones their pauses."""
    code = """
    @app.before_request
    def first():
        pass

    @app.before_request
    async def second():
        await asyncio.sleep(0)

    @app.after_request
    def third(response):
        return response

    @app.teardown_request
    def fourth(error):
        pass

    @app.teardown_appcontext
    def fifth(error):
        pass
    """
    seen = trace(dedent(code) + LESSON)
    hooks = [step.text for step in seen.steps if step.action is Action.HOOK]
    assert hooks == [
        "before_request `first`",
        "before_request `second`",
        "after_request `third`",
        "teardown_request `fourth`",
        "teardown_appcontext `fifth`",
    ]
    assert find_step(seen, Action.HOOK).place == find_line(code, "def first")
    assert find_step(seen, Action.PAUSED).text == "paused at `await asyncio.sleep(0)`"


def test_a_hook_that_answers(trace: Tracer) -> None:
    """A `before_request` that returns a response is said to have kept the view from running."""
    seen = trace("@app.before_request\ndef stop():\n    return 'no'\n" + LESSON)
    assert find_step(seen, Action.HOOK).result == "answers the request: the view is not called"
    assert find_step(seen, Action.LANE).result == "no view was called: the answer is 200"


def test_children_are_joined_to_their_parent(trace: Tracer) -> None:
    """Tasks of `gather` and of a `TaskGroup` are strands of their own, below their maker's."""
    code = """
    async def price(isbn):
        await asyncio.sleep(0)
        return 12

    async def prices():
        async with asyncio.TaskGroup() as group:
            group.create_task(price("c"), name="third")

    @app.route("/")
    async def home():
        found = await asyncio.gather(price("a"), price("b"))
        await asyncio.create_task(prices(), name="second")
        return str(sum(found))
    """
    seen = trace(code)
    assert [strand.parent for strand in seen.strands] == [None, 0, 0, 0, 3]
    assert [strand.name for strand in seen.strands[3:]] == ["prices, second", "price, third"]
    assert list_actions(seen, 1) == [
        Action.TASK_STARTED,
        Action.PAUSED,
        Action.RESUMED,
        Action.TASK_ENDED,
    ]
    paused = find_step(seen, Action.PAUSED)
    assert paused.result == "waits for 2 tasks `price` and `price`"
    assert find_step(seen, Action.TASK_ENDED).result == "returned 12"
    resumed = next(item for item in seen.steps if item.place == paused.place and item != paused)
    assert "; joined by `price, " in resumed.result
    assert [item.state for item in seen.steps if item.strand == 1] == [
        inspect.CORO_RUNNING,
        inspect.CORO_SUSPENDED,
        inspect.CORO_RUNNING,
        inspect.CORO_CLOSED,
    ]


def test_a_task_that_outlives_its_request(trace: Tracer) -> None:
    """It is followed to its end, after the request's."""
    code = """
    async def mail():
        await asyncio.sleep(0)

    @app.route("/")
    async def home():
        app.mail = asyncio.create_task(mail())
        return "soon"
    """
    seen = trace(code)
    assert seen.steps[-1].action is Action.TASK_ENDED
    assert seen.strands[1].end_ms is not None


def test_run_sync(trace: Tracer) -> None:
    """A function in the request's thread is told, and that the view waits for it."""
    code = """
    @app.route("/")
    async def home():
        await flasync.run_sync(time.sleep, 0.01)
        return "x"
    """
    seen = trace(code)
    actions = list_actions(seen)
    assert actions[actions.index(Action.PAUSED) :][:5] == [
        Action.PAUSED,
        Action.QUEUED,
        Action.THREAD_STARTED,
        Action.THREAD_ENDED,
        Action.RESUMED,
    ]
    assert find_step(seen, Action.PAUSED).result == "waits for its worker thread"


def test_one_call_that_waits_often_is_one_pause(trace: Tracer, tmp_path: Path) -> None:
    """What a library waits for in one call is one step; a loop's waits are one each."""
    library = tmp_path / ".venv" / "library.py"
    library.parent.mkdir()
    library.write_text(
        "import asyncio\n"
        "async def query():\n"
        "    for _ in range(3):\n"
        "        await asyncio.sleep(0)\n"
    )
    code = f"""
    import sys
    sys.path.insert(0, {str(library.parent)!r})
    import library
    sys.path.pop(0)
    del sys.modules["library"]

    @app.route("/")
    async def home():
        for _ in range(2):
            await library.query()
        return "x"
    """
    seen = trace(code)
    assert list_actions(seen).count(Action.PAUSED) == 2
    assert find_step(seen, Action.PAUSED).result == "waits for `library.query`"
    assert " in 3 waits" in find_step(seen, Action.RESUMED).result


def test_what_repeats_is_counted(trace: Tracer) -> None:
    """Of many pauses at one place the first five are steps, and the others a number."""
    code = """
    @app.route("/")
    async def home():
        for _ in range(12):
            await asyncio.sleep(0)
        return "x"
    """
    seen = trace(code)
    pauses = [step for step in seen.steps if step.action is Action.PAUSED]
    assert [step.repeats for step in pauses] == [0, 0, 0, 0, 7]


def test_own_functions_are_named(trace: Tracer) -> None:
    """A pause in a function that the view awaits is at its line, with its caller."""
    code = """
    async def fetch():
        await asyncio.sleep(0)

    @app.route("/")
    async def home():
        secret = 1
        await fetch()
        return "x"
    """
    paused = find_step(trace(code), Action.PAUSED)
    assert paused.text == "paused at `await asyncio.sleep(0)` in `fetch`, called by `home`"
    assert paused.place == find_line(code, "sleep")
    assert [item.name for item in paused.variables] == ["secret"]


@pytest.mark.parametrize("kind", ["async ", ""])
def test_streams(trace: Tracer, kind: str) -> None:
    """Each piece of a stream is a step, and what its generator waits for too."""
    wait = "await asyncio.sleep(0)" if kind else "flasync.await_(asyncio.sleep(0))"
    code = f"""
    @app.route("/")
    {kind}def home():
        {kind}def body():
            for n in range(8):
                {wait}
                yield str(n)
        return body()
    """
    seen = trace(code)
    sent = [step for step in seen.steps if step.action is Action.SENT]
    assert [step.text for step in sent].count("piece of the response sent") == 5
    assert sent[-1].result == "8 pieces, 8 bytes"
    assert [step.repeats for step in sent if step.repeats] == [3]
    assert find_step(seen, Action.PAUSED).place == find_line(code, wait)


def test_an_async_generator_as_view(trace: Tracer) -> None:
    """A view that yields is said to run while its response is sent."""
    code = (
        "@app.route('/')\nasync def home():\n    n = 1\n    await asyncio.sleep(0)\n    yield 'x'\n"
    )
    seen = trace(code)
    created = find_step(seen, Action.CREATED)
    assert created.text == "view `home` called: its async generator is created"
    paused = find_step(seen, Action.PAUSED)
    assert [(item.name, item.value) for item in paused.variables] == [("n", "1")]
    assert Action.COMPLETED not in list_actions(seen)


def test_an_exception(trace: Tracer) -> None:
    """It is shown where it was raised, with the variables there, and is a finding."""
    code = """
    @app.route("/")
    async def home():
        n = 0
        await asyncio.sleep(0)
        m = 1
        return str(1 / n)
    """
    seen = trace(code)
    raised = find_step(seen, Action.RAISED)
    assert raised.text == "raised at `1 / n`"
    assert raised.result == "ZeroDivisionError: division by zero"
    assert [item.name for item in raised.variables] == ["m"]
    assert find_step(seen, Action.COMPLETED).state == inspect.CORO_CLOSED
    (finding,) = seen.findings
    assert (finding.kind, finding.step, seen.status) == (Kind.FAILED, raised.number, 500)


def test_a_task_that_fails(trace: Tracer) -> None:
    """Its error is its result, and the group's that the view gets names it."""
    code = """
    async def bad():
        raise ValueError("bad")

    @app.route("/")
    async def home():
        async with asyncio.TaskGroup() as group:
            group.create_task(bad())
            group.create_task(asyncio.Event().wait(), name="other")
    """
    seen = trace(code)
    assert [item.result for item in seen.steps if item.action is Action.TASK_ENDED] == [
        "raised ValueError: bad",
        "cancelled",
    ]
    assert find_step(seen, Action.RAISED).result.endswith(", ValueError: bad")


def test_an_error_handler(trace: Tracer) -> None:
    """An `abort` is no failure, and the handler that answers it has a step."""
    code = """
    @app.errorhandler(404)
    async def missing(error):
        return "none", 404

    @app.route("/")
    async def home():
        flask.abort(404)
    """
    seen = trace(code)
    assert find_step(seen, Action.HOOK).result == "answers in place of the view"
    assert (seen.status, seen.findings) == (404, ())


def test_a_client_that_leaves(trace: Tracer) -> None:
    """A request that takes too long is cancelled where it waits, and its clean-up is shown."""
    code = """
    @app.route("/")
    async def home():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
    """
    seen = trace(code, timeout_s=0.2)
    actions = list_actions(seen)
    assert actions[actions.index(Action.LEFT) :] == [
        Action.LEFT,
        Action.RESUMED,
        Action.PAUSED,
        Action.RESUMED,
        Action.CANCELLED,
        Action.COMPLETED,
        Action.ENDED,
    ]
    assert "with CancelledError" in find_step(seen, Action.RESUMED).result
    assert find_step(seen, Action.CANCELLED).place == find_line(code, "Event")
    assert seen.status is None
    assert [finding.kind for finding in seen.findings] == [Kind.LEFT]


def test_code_that_goes_on_when_it_is_cancelled(
    trace: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view that catches its cancellation cannot keep the trace from its end."""
    monkeypatch.setattr("flasync.toolkit.tracing.tracing.GRACE_S", 0.1)
    monkeypatch.setattr("flasync.toolkit.tracing.memory_client._LAST_S", 0.1)
    code = """
    @app.route("/")
    async def home():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    """
    seen = trace(code, timeout_s=0.1)
    assert [finding.kind for finding in seen.findings] == [Kind.LEFT]
    assert find_step(seen, Action.CANCELLED).text.startswith("cancelled by force")


def test_a_decorator_that_refuses(trace: Tracer) -> None:
    """A view that a decorator has kept from running is said not to have run."""
    code = """
    import functools

    def refuse(function):
        @functools.wraps(function)
        def call():
            flask.abort(401)
        return call

    @app.route("/")
    @refuse
    async def home():
        return "x"
    """
    seen = trace(code)
    assert find_step(seen, Action.RAISED).result == "401 Unauthorized"
    completed = find_step(seen, Action.COMPLETED)
    assert completed.text == "view `home` did not run: a decorator of it has ended the request"
    assert Action.STARTED not in list_actions(seen)


def test_code_that_holds_the_loop(trace: Tracer) -> None:
    """What runs on the loop for long without a pause is a finding, with its line."""
    code = """
    @app.route("/")
    async def home():
        time.sleep(0.25)
        return "x"
    """
    seen = trace(code, max_hold_ms=200)
    (finding,) = seen.findings
    assert (finding.kind, finding.place) == (Kind.HELD, find_line(code, "sleep"))
    held = find_step(seen, Action.HELD)
    assert held.text == "`time.sleep(0.25)` holds the loop"
    assert held.number < find_step(seen, Action.RETURNING).number


def test_code_that_keeps_a_thread_busy(trace: Tracer) -> None:
    """In a thread it is told where the time goes, and nothing is wrong."""
    code = "@app.route('/')\ndef home():\n    time.sleep(0.25)\n    return 'x'\n"
    seen = trace(code, max_hold_ms=200)
    busy = find_step(seen, Action.BUSY)
    assert (busy.text, busy.place) == ("busy at `time.sleep(0.25)`", find_line(code, "sleep"))
    assert seen.findings == ()


def test_a_view_below_decorators(trace: Tracer) -> None:
    """The coroutine of a view is found below decorators that call it in their own ways."""
    code = """
    import functools

    def passes(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return function(*args, **kwargs)
        return call

    def ensures(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return flask.current_app.ensure_sync(function)(*args, **kwargs)
        return call

    def awaits(function):
        @functools.wraps(function)
        async def call(*args, **kwargs):
            return await function(*args, **kwargs)
        return call

    async def view():
        name = "ada"
        await asyncio.sleep(0)
        return name

    for decorator in (passes, ensures, awaits):
        path = f"/{decorator.__name__}"
        app.add_url_rule(path, path[1:], decorator(view))
    """
    for path in ("/passes", "/ensures", "/awaits"):
        seen = trace(code, path)
        assert [step.state for step in seen.steps if step.state] == STATES, path
        paused = find_step(seen, Action.PAUSED)
        assert [item.value for item in paused.variables] == ["'ada'"], path


def test_a_class_based_view(trace: Tracer) -> None:
    """The method that the request calls is the view's own code."""
    code = """
    from flask.views import MethodView

    class Books(MethodView):
        async def get(self):
            await asyncio.sleep(0)
            return "x"

        def post(self):
            return "y"

    app.add_url_rule("/", view_func=Books.as_view("books"))
    """
    assert [step.state for step in trace(code).steps if step.state] == STATES
    posted = trace(code, method="POST")
    assert find_step(posted, Action.RETURNING).source == 'return "y"'
    assert find_step(posted, Action.LANE).result == "`books` is a plain `def`"


def test_what_is_sent(trace: Tracer) -> None:
    """Headers, query and body reach the view; a body that looks like JSON is said to be."""
    code = """
    @app.post("/")
    async def home():
        got = [flask.request.json["a"], flask.request.args["q"], flask.request.headers["X-Own"]]
        return got
    """
    seen = trace(
        code, "/?q=1", "POST", body=b'{"a": 2}', headers=[("X-Own", "3")], with_variables=True
    )
    assert find_step(seen, Action.RETURNING).result == "the view returned [2, '1', '3']"
    assert find_step(seen, Action.RECEIVED).text == "received POST /?q=1"


def test_without_variables(trace: Tracer) -> None:
    """No value is shown when the user does not want it."""
    seen = trace(LESSON.replace("await", "x = 1\n    await", 1), with_variables=False)
    assert not any(step.variables for step in seen.steps)
    assert find_step(seen, Action.RETURNING).result == "the view returned"


def test_the_app_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views, hooks and settings of the app are its own again after a trace."""
    monkeypatch.chdir(tmp_path)
    app = build_app(tmp_path, "@app.before_request\ndef hook():\n    pass\n" + LESSON)
    views, hooks = dict(app.view_functions), list(app.before_request_funcs[None])
    config = dict(app.config)
    trace_request(app, Order(Message("GET", "/"), root=tmp_path))
    assert (app.view_functions, app.before_request_funcs[None]) == (views, hooks)
    assert app.config == config


def test_an_app_that_does_not_start(trace: Tracer) -> None:
    """A startup hook that fails is told with its error."""
    code = """
    app = flasync.Flask("traced")

    @app.before_serving
    async def fail():
        raise LookupError("no such pool")
    """
    with pytest.raises(AppStartError, match="LookupError: no such pool"):
        trace(code)
