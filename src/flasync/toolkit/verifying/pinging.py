"""Pinging a URL from a process of its own, until its stdin is closed.

It is a program that imports nothing of flasync, so that it is there in 50 ms and is delayed by
nobody: pings from the loop that sends a thousand requests would wait for that loop, and show its
stalls as the server's. It prints a line when the server has been pinged while it is calm, and, at
the end, a JSON list of [start, end, failed] by `time.perf_counter()`, in seconds.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from base64 import b64encode
from urllib.parse import unquote, urlsplit

# Seconds between an answer and the next ping. A stall that is shorter may be missed, and a server
# spends a few per cent of a core on the answers.
_INTERVAL_S = 0.01

# Pings of the calm server, for a median.
_CALM_PINGS = 10

_FIRST_SERVER_ERROR = 500


class Pinger:
    """Pings one URL, again and again."""

    def __init__(self, url: str, headers: dict[str, str], timeout_s: float) -> None:
        parts = urlsplit(url)
        login, _, host = parts.netloc.rpartition("@")
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        self._connection = kinds[parts.scheme](host, timeout=timeout_s)
        self._target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self._headers = {**_build_login(login), **headers}
        self._start = 0.0
        self._done: list[tuple[float, float, bool]] = []

    def run(self) -> None:
        """Ping for ever; say when the calm pings are done."""
        self._ask()  # It makes the connection, and is not kept.
        for _ in range(_CALM_PINGS):
            self._ping()
        print("calm", flush=True)
        while True:
            self._ping()

    def list_pings(self) -> list[tuple[float, float, bool]]:
        """Return the pings so far; one that is under way has lasted until now."""
        done, start = list(self._done), self._start
        if start and (not done or done[-1][0] < start):
            done.append((start, time.perf_counter(), False))
        return done

    def _ping(self) -> None:
        time.sleep(_INTERVAL_S)
        self._start = time.perf_counter()
        failed = not self._ask()
        self._done.append((self._start, time.perf_counter(), failed))

    def _ask(self) -> bool:
        """Return whether the server has answered."""
        try:
            try:
                return self._exchange()
            except ConnectionError:
                # The server closed the connection after the last answer, without saying so.
                self._connection.close()
                return self._exchange()
        except (OSError, ValueError, http.client.HTTPException):
            self._connection.close()
            return False

    def _exchange(self) -> bool:
        self._connection.request("GET", self._target, headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        return bool(response.status < _FIRST_SERVER_ERROR)


def _build_login(login: str) -> dict[str, str]:
    """Return the header for what a URL has before its host, as "name:password"; "" for nothing."""
    if not login:
        return {}
    name, _, password = map(unquote, login.partition(":"))
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def main() -> None:
    """Ping as the first line of stdin says: a JSON list of the arguments of `Pinger`."""
    pinger = Pinger(*json.loads(sys.stdin.readline()))
    threading.Thread(target=pinger.run, daemon=True).start()
    sys.stdin.read()
    print(json.dumps(pinger.list_pings()), flush=True)


if __name__ == "__main__":
    main()
