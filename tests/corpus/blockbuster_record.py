"""What blockbuster sees of a project: every blocking call in a request, with the project's line.

blockbuster raises at the first blocking call, which ends the request. Here each of its detections
is written down and the call goes through, so that it is not charged with what it could not reach.
It is active before the app is imported, so that `from time import sleep` gives what it watches.
A detection belongs to the innermost line of the project above it, in Python or in a template.

Two programs in one: `python -m corpus.blockbuster_record FOLDER` sends a request to each route of
the small case that is laid out in FOLDER, and `pytest -p corpus.blockbuster_record` runs each test
of a project inside a running event loop, as blockbuster's documentation asks for. The places go to
the file that FLASYNC_CORPUS_PLACES names, as JSON.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import flask
import httpx
import pytest
from blockbuster import BlockBuster
from blockbuster.blockbuster import BlockBusterFunction

import flasync
from corpus.importing import imported_app
from corpus.labelled import Place

# Below these, files are read once in the life of a process, or the log is written to: neither is
# labelled, and neither is counted against blockbuster.
_UNCOUNTED = (
    "/jinja2/loaders.py",
    "/importlib/metadata/",
    "/logging/__init__.py",
    "<frozen importlib",
)
# Who stands above all that is done for a request: the WSGI app, or the iteration over its answer.
_REQUESTS = {
    ("/flask/app.py", "__call__"),
    ("/flask/app.py", "wsgi_app"),
    ("/werkzeug/wrappers/response.py", "_iter_encoded"),
    ("/werkzeug/wrappers/response.py", "make_sequence"),
    ("/werkzeug/wsgi.py", "__next__"),
}
_REQUEST_TIMEOUT_S = 20


class Recording:
    """Where in a project blockbuster sees blocking calls.

    Args:
        root: The project's folder; its folder of tests is not looked at.
    """

    def __init__(self, root: Path) -> None:
        self.places: set[Place] = set()
        self._root = root.resolve()
        self._tests = self._root / "tests"

    @contextmanager
    def active(self) -> Iterator[None]:
        """Record while the context lasts."""
        blockbuster = BlockBuster()
        for function in blockbuster.functions.values():
            function.can_block_predicate = self._build_predicate(function)
        blockbuster.activate()
        try:
            yield
        finally:
            blockbuster.deactivate()

    def _build_predicate(self, function: BlockBusterFunction) -> Callable[..., bool]:
        allowed_before = function.can_block_predicate

        def predicate(*args: Any, **kwargs: Any) -> bool:
            if not allowed_before(*args, **kwargs):
                self._note(sys._getframe(2), function)
            return True

        return predicate

    def _note(self, frame: FrameType | None, function: BlockBusterFunction) -> None:
        place: Place | None = None
        in_request = flask.has_request_context()  # so it is in a task that a view has started
        while frame is not None:
            name, code = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
            if place is None:
                if any(part in name for part in _UNCOUNTED):
                    return
                place = self._locate(frame)
            for file, functions in function.can_block_functions:
                if name.endswith(file) and code in functions:
                    return
            in_request |= any(name.endswith(file) and code == it for file, it in _REQUESTS)
            frame = frame.f_back
        if place is not None and in_request:
            self.places.add(place)

    def _locate(self, frame: FrameType) -> Place | None:
        file, line = Path(frame.f_code.co_filename), frame.f_lineno
        if not file.is_relative_to(self._root) or file.is_relative_to(self._tests):
            return None
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(line)
        return file.relative_to(self._root).as_posix(), line

    def write(self) -> None:
        """Write the places to the file that the environment names."""
        Path(os.environ["FLASYNC_CORPUS_PLACES"]).write_text(json.dumps(sorted(self.places)))


# --- small cases -------------------------------------------------------------------------------


async def send_requests(app: flask.Flask) -> None:
    """Send a request for each rule and method: on this thread, and through flasync's ASGI app.

    Sync views run on this thread in the first, on which the loop runs; async views in the second.
    """
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    transport = httpx.ASGITransport(flasync.ASGI(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://case.test") as client:
        for rule in rules:
            url = _build_url(rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                try:
                    app.test_client().open(url, method=method).get_data()
                except Exception as error:  # of the view or of its stream: what ran has been noted
                    print(f"{method} {url}: {error!r}", file=sys.stderr)
                await client.request(method, url, timeout=_REQUEST_TIMEOUT_S)


def _build_url(rule: Any) -> str:
    url = rule.rule
    for argument in rule.arguments:
        before, _, rest = url.partition("<")
        kind, _, after = rest.partition(">")
        url = f"{before}{'1' if kind.startswith('int') else argument}{after}"
    return str(url)


def main() -> None:
    """Record what the small case in the folder of the command line does."""
    root = Path(sys.argv[1])
    recording = Recording(root)
    with recording.active(), imported_app(root) as app:
        asyncio.run(send_requests(app))
    recording.write()


# --- projects with tests -----------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Begin a recording of the project in the current directory."""
    config.pluginmanager.register(_Plugin(Recording(Path.cwd())))


class _Plugin:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.active = recording.active()
        self.active.__enter__()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            item.runtest = _run_on_loop(item.runtest)  # type: ignore[method-assign]

    def pytest_unconfigure(self) -> None:
        self.active.__exit__(None, None, None)
        self.recording.write()


def _run_on_loop(runtest: Callable[[], None]) -> Callable[[], None]:
    async def run() -> None:
        runtest()

    return lambda: asyncio.run(run())


if __name__ == "__main__":
    main()
