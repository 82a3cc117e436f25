import pytest
from app import app


@pytest.fixture
def client(tmp_path):
    app.config["FOLDER"] = str(tmp_path)
    (tmp_path / "first.txt").write_text("one two two")
    (tmp_path / "_hidden.txt").write_text("two")
    (tmp_path / "busy.txt").write_text("b")
    (tmp_path / "busy.lock").touch()
    return app.test_client()


def test_index(client):
    assert client.get("/notes").json == ["busy", "first"]


def test_show(client):
    answer = {"text": "one two two", "title": "first", "turn": 0, "words": 3}
    assert client.get("/notes/first").json == answer
    assert client.get("/notes/busy").json["turn"] == 3
    assert client.get("/notes/none").status_code == 404


def test_save(client):
    assert client.put("/notes/new", data="abc").json == {"size": 3}
    assert client.get("/notes/new").json["text"] == "abc"
    assert client.put("/notes/busy", data="abc").status_code == 423


def test_remove(client):
    assert client.delete("/notes/first").status_code == 204
    assert client.delete("/notes/first").status_code == 404
    assert client.delete("/notes/busy").status_code == 423


def test_search(client):
    assert client.get("/search?word=two").json == {"_hidden": 1, "first": 2}


def test_path(client):
    assert client.get("/path/a").text == "a.txt"
