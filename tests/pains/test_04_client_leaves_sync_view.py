"""The client leaves during a sync view: nothing is torn down under the running view."""

import pytest

from pains.servers import Served

APP = "pains.apps.leaving:app"


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("view", ["sync", "sync-in-steps"])
def test_teardown_waits_for_the_view(server: Served, view: str, reset: bool) -> None:
    """The view keeps `g` and `session` until it returns; teardown runs once, afterwards."""
    server.client.post("/hold")
    connection = server.connect()
    connection.request(f"/slow/{view}")
    server.wait_for("view entered")
    # An async view whose client leaves at the same time is cancelled: by then the server
    # has told the app about departures.
    witness = server.connect()
    witness.request("/slow/async")
    server.wait_for("view entered", 2)
    connection.leave(reset=reset)
    witness.leave(reset=reset)
    server.wait_for("app teardown slow_async")
    events = [event for event in server.events() if "slow_sync" in event]
    assert events == []
    server.client.post("/release")
    path = f"/slow/{view}"
    endpoint = "slow_" + view.replace("-", "_")
    server.wait_for(f"app teardown {endpoint}")
    events = [event for event in server.events() if "slow_async" not in event]
    assert events[events.index(f"view done: open {path}") :] == [
        f"view done: open {path}",
        f"teardown {endpoint}",
        f"app teardown {endpoint}",
    ]
