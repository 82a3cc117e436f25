"""What happened in an app, in order, as routes that a test polls."""

import os

import flask


class Ledger:
    """A list of events that every thread of the process may append to."""

    def __init__(self) -> None:
        """Start empty."""
        self.events: list[str] = []

    def note(self, event: str) -> None:
        """Append an event."""
        self.events.append(event)

    def init_app(self, app: flask.Flask) -> None:
        """Add `GET /ledger` and `POST /ledger/clear`."""
        app.add_url_rule("/ledger", "ledger", self.show)
        app.add_url_rule("/ledger/clear", "ledger_clear", self.clear, methods=["POST"])

    async def show(self) -> dict[str, object]:
        """Every event so far. Async, so that it answers when all threads are taken."""
        return {"events": list(self.events), "pid": os.getpid()}

    async def clear(self) -> tuple[str, int]:
        """Forget them."""
        self.events.clear()
        return "", 204
