import pytest
from app import create_app, create_schema

KEY = {"X-Key": "key"}


@pytest.fixture
def app(tmp_path):
    app = create_app(str(tmp_path / "test.db"))
    create_schema(app)
    return app


@pytest.fixture
def client(app):
    return app.test_client()


def add(client, name, amount):
    return client.post("/entries", json={"name": name, "amount": amount}, headers=KEY)


def test_add(client, app):
    answer = add(client, "rent", 5)
    assert (answer.status_code, answer.json) == (201, {"id": 1, "name": "rent", "amount": 5})
    assert client.get("/entries").json == [answer.json]
    assert client.get("/entries/1").json == answer.json
    assert app.config["AUDIT"] == ["added 1"]


def test_unknown(client):
    assert client.get("/entries/7").status_code == 404


def test_without_key(client):
    assert client.post("/entries", json={}).status_code == 401
    assert client.get("/entries").json == []


def test_total(client):
    add(client, "a", 1)
    add(client, "b", 2)
    assert client.get("/total").json == {"total": 3, "entries": 2}
