import pytest
import requests
from bookshop.extensions import supplier as bookshop_supplier
from bookshop.supplier_client import OutOfStock, SupplierError
from supplier import create_app


class FakeResponse:
    def __init__(self, body, status_code=200):
        self.body = body
        self.status_code = status_code

    def raise_for_status(self):
        if self.status_code >= 400:
            raise requests.HTTPError(str(self.status_code))

    def json(self):
        return self.body


@pytest.fixture
def answers(monkeypatch):
    """The list of what the supplier answers, one after the other; returns the calls, too."""
    answers, calls = [], []

    def fake_request(method, url, **kwargs):
        calls.append((method, url, kwargs))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("bookshop.supplier_client.requests.request", fake_request)
    return answers, calls


def test_availability_in_the_shop(client, books, real_supplier):
    assert "In stock:</strong> 5 copies" in client.get("/books/emma/availability").text


def test_availability_at_the_supplier(client, books, real_supplier):
    assert "with you in" in client.get("/books/persuasion/availability").text


def test_availability_when_the_book_is_out_of_print(client, books, answers):
    answers[0].append(FakeResponse({"available": 0, "delivery_days": 15}))
    assert "Being reprinted" in client.get("/books/persuasion/availability").text
    assert answers[1][0][:2] == ("GET", "http://127.0.0.1:9/v1/stock/9780000000001")
    assert answers[1][0][2]["headers"] == {"X-Api-Key": "bookshop-demo"}
    assert answers[1][0][2]["timeout"] == 5


def test_availability_without_a_supplier(client, books):
    assert "cannot ask our supplier" in client.get("/books/persuasion/availability").text


def test_second_attempt(client, books, answers):
    answers[0].extend([requests.Timeout(), FakeResponse({"available": 3, "delivery_days": 4})])
    assert "with you in 4 days" in client.get("/books/persuasion/availability").text


def test_no_third_attempt(app, answers):
    answers[0].extend([requests.Timeout(), FakeResponse({}, 503)])
    with app.app_context(), pytest.raises(SupplierError, match="/v1/stock/1 failed"):
        bookshop_supplier.stock("1")
    assert len(answers[1]) == 2


def test_prices_are_asked_in_batches(app, real_supplier):
    isbns = [f"97800000{number:05d}" for number in range(45)]
    with app.app_context():
        prices = bookshop_supplier.prices(isbns)
    assert list(prices) == isbns
    assert prices[isbns[1]] == 727


def test_reserving_too_much(app, real_supplier):
    with app.app_context(), pytest.raises(OutOfStock):
        bookshop_supplier.reserve("9780000000001", 5000, "B-1")


def test_stock_over_the_api(client, books, real_supplier):
    answer = client.get("/api/books/9780000000000/stock").json
    assert answer["in_shop"] == 5
    assert answer["at_supplier"]["isbn"] == "9780000000000"


def test_stock_over_the_api_without_a_supplier(client, books):
    response = client.get("/api/books/9780000000000/stock")
    assert response.status_code == 502
    assert response.json["error"] == "Bad Gateway"


def test_the_service_wants_its_key():
    client = create_app(delay=0).test_client()
    assert client.get("/v1/stock/9780000000000").status_code == 401


def test_the_service_knows_isbns_only():
    client = create_app(delay=0).test_client()
    response = client.get("/v1/stock/12", headers={"X-Api-Key": "bookshop-demo"})
    assert (response.status_code, response.json) == (404, {"error": "Not Found"})


def test_the_service_is_slow(monkeypatch):
    naps = []
    monkeypatch.setattr("supplier.service.time.sleep", naps.append)
    monkeypatch.setenv("SUPPLIER_DELAY", "1.5")
    client = create_app().test_client()
    client.get("/v1/prices", headers={"X-Api-Key": "bookshop-demo"})
    assert naps == [1.5]
