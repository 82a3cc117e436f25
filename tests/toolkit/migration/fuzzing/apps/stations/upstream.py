"""Asking stations."""

from __future__ import annotations

from typing import Any

import requests

__all__ = ["Station", "ask", "ask_all", "post_reading"]
TIMEOUT_S = 5


def ask(url: str, name: str) -> dict[str, Any]:
    return requests.get(f"{url}/stations/{name}", timeout=TIMEOUT_S).json()


def ask_all(url: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [ask(url, name) for name in names]


def post_reading(url: str, name: str, reading: Any) -> int:
    with requests.Session() as session:
        session.headers["X-Reader"] = "app"
        response = session.post(f"{url}/stations/{name}", json=reading, timeout=TIMEOUT_S)
        return response.status_code


class Station:
    """One station."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name

    def read(self) -> float:
        return float(ask(self.url, self.name)["value"])

    def is_warm(self) -> bool:
        return self.read() > 15
