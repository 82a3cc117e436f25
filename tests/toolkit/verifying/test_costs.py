"""What a request costs the client, against a server that does nothing."""

from flasync.toolkit.verifying.costs import measure_client, measure_cost
from toolkit.verifying.raw_servers import OK, open_answering


def test_headers_go_with_the_requests() -> None:
    """As many requests are sent at once as are asked for, and so several times."""
    with open_answering(OK) as (url, requests):
        cost_ms = measure_cost(url, 5, 60, (("X-A", "b"),))
    assert cost_ms > 0
    assert len(requests) == 1 + 3 * 5
    assert all(b"\r\nX-A: b\r\n" in request for request in requests)


def test_the_client_costs_less_than_a_server_of_python() -> None:
    """The client's own cost is positive, and small beside a request that waits at all."""
    with open_answering(OK) as (url, _):
        assert 0 < measure_client(100, 60) < 20 * measure_cost(url, 100, 60)
