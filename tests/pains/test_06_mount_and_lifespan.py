"""Where the app is mounted, and whether the server speaks the lifespan protocol."""

from collections.abc import Iterator

import pytest

from pains.servers import SERVERS, Served, serve

# uvicorn and hypercorn expect a proxy to have removed the prefix from the request line;
# granian and gunicorn hand on what the client asked for.
SEES_PREFIX = {"uvicorn": "", "hypercorn": "", "granian": "/mounted", "gunicorn": "/mounted"}


@pytest.fixture(scope="module", params=SERVERS)
def mounted(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The app below /mounted."""
    with serve(request.param, "pains.apps.wire:asgi", root_path="/mounted") as served:
        yield served


@pytest.mark.parametrize("lane", ["sync", "async"])
def test_root_path(mounted: Served, lane: str) -> None:
    """The app sees the mount as its script root, routes below it, and builds URLs with it."""
    answer = mounted.client.get(f"{SEES_PREFIX[mounted.kind]}/{lane}/where")
    assert answer.status_code == 200
    assert answer.json() == {
        "script_root": "/mounted",
        "path": f"/{lane}/where",
        "url_for": "/mounted/sync/where",
    }


@pytest.mark.parametrize("kind", SERVERS)
def test_lifespan_on(kind: str) -> None:
    """Serving hooks run on the loop that serves: before the first request and at the end."""
    with serve(kind, "pains.apps.lifespan:app") as served:
        assert served.client.get("/async").text == "started on this loop"
        assert served.client.get("/sync").text == "started on this loop"
        served.stop()
        written = served.log()
        assert written.count("before_serving ran") == 1
        assert written.count("while_serving began") == 1
        assert written.count("while_serving ended") == 1
        assert written.count("after_serving ran") == 1


@pytest.mark.parametrize("kind", SERVERS)
def test_lifespan_off(kind: str) -> None:
    """An app whose server does not speak lifespan serves both lanes from the first request."""
    with serve(kind, "pains.apps.lifespan:app", lifespan=False) as served:
        answers = [served.client.get("/async-loop").text, served.client.get("/sync-loop").text]
        assert answers[0] == answers[1]
