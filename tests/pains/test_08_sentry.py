"""Sentry's Flask integration, unchanged: each report carries its own request."""

from typing import Any

import pytest

from pains.servers import Served

APP = "pains.apps.error_reports:asgi"
REQUESTS = 20
NUMBERS = range(1, REQUESTS + 1)


def reports(server: Served, kind: str) -> list[dict[str, Any]]:
    """The reports of one type, without those of the routes that show them."""
    found: list[dict[str, Any]] = server.client.get("/reports").json()
    own = ("show_reports", "clear_reports", "ledger", "ledger_clear")
    return [r for r in found if r["type"] == kind and r["transaction"] not in own]


@pytest.mark.parametrize("kind", ["sync", "async", "sync-stream", "async-stream"])
def test_reports_of_overlapping_requests_are_not_mixed(server: Served, kind: str) -> None:
    """The tag set in a hook, the URL and the transaction belong to the reporting request."""
    server.client.post("/reports/clear")
    answers = server.get_at_once([f"/{kind}/{n}" for n in NUMBERS])
    assert {answer.status_code for answer in answers} == {200}
    server.wait_until(lambda: len(reports(server, "event")) >= REQUESTS, "the reports")
    found = sorted(reports(server, "event"), key=lambda each: int(each["tags"]["number"]))
    assert [each["message"] for each in found] == [f"message {n}" for n in NUMBERS]
    assert [each["url"] for each in found] == [f"{server.url}/{kind}/{n}" for n in NUMBERS]
    # As under WSGI: the SDK's transaction ends when the response begins.
    expected = None if "stream" in kind else f"{kind}_view"
    assert {each["transaction"] for each in found} == {expected}


@pytest.mark.parametrize("kind", ["sync", "async", "sync-stream", "async-stream"])
def test_one_transaction_a_request(server: Served, kind: str) -> None:
    """Each request is traced as one transaction that ends with it."""
    server.client.post("/reports/clear")
    server.get_at_once([f"/{kind}/{n}" for n in NUMBERS])
    server.wait_until(lambda: len(reports(server, "transaction")) >= REQUESTS, "the transactions")
    found = reports(server, "transaction")
    assert sorted(int(each["tags"]["number"]) for each in found) == list(NUMBERS)


@pytest.mark.parametrize("kind", ["sync-error", "async-error"])
def test_an_error_is_reported_once(server: Served, kind: str) -> None:
    """An exception in a view is one report, with its request."""
    server.client.post("/reports/clear")
    server.expect_log(r"Traceback \(most recent call last\)", "LookupError")
    assert server.client.get(f"/{kind}/7").status_code == 500
    found = [each for each in reports(server, "event") if each["exception"]]
    assert [each["exception"] for each in found] == [["LookupError"]]
    assert found[0]["url"] == f"{server.url}/{kind}/7"
    assert found[0]["tags"]["number"] == "7"
