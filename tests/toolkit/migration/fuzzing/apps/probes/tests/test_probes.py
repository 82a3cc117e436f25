import pytest
from app import app


@pytest.fixture
def client():
    return app.test_client()


def test_get(client):
    assert client.get("/probes/echo?arg=a&arg=b").json == {"said": "a b"}
    assert client.get("/probes/sum?arg=2&arg=3").json == {"said": "5"}
    assert client.get("/probes/sum?arg=x").json == {"said": "failed with 1"}


def test_post(client):
    answer = {"said": ["1", "2"], "length": 46}
    assert client.post("/probes/sum", json=["1", "2"]).json == answer


def test_page(client):
    assert client.get("/page").text == "echo=1;sum=1;"


def test_version(client):
    assert client.get("/version").json == {"version": "v1"}


def test_unknown(client):
    answer = client.get("/probes/none")
    assert (answer.status_code, answer.json) == (404, {"unknown": "'none'"})
