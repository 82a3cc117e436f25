"""flaskr, the application of Flask's tutorial, used over HTTP as its readers use it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pains.servers import SERVERS, Served, serve
from tutorial import fetch_flaskr


@pytest.fixture(params=SERVERS)
def flaskr(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> Iterator[Served]:
    """flaskr on each server, with a database of its own."""
    folder = fetch_flaskr(tmp_path_factory.getbasetemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "FLASKR_FOLDER", str(folder))
        patch.setitem(os.environ, "FLASKR_DATABASE", str(tmp_path / "flaskr.sqlite"))
        with serve(request.param, "pains.apps.flaskr_served:asgi") as served:
            yield served


@pytest.fixture
def author(flaskr: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=flaskr.url, follow_redirects=True) as client:
        yield client


@pytest.fixture
def other(flaskr: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=flaskr.url, follow_redirects=True) as client:
        yield client


def test_the_tutorial_works(author: httpx.Client, other: httpx.Client) -> None:
    """Register, log in, post, edit, be refused as another, delete, log out: all over HTTP."""
    for client, name in ((author, "ann"), (other, "bob")):
        account = {"username": name, "password": f"{name}'s secret"}
        assert client.post("/auth/register", data=account).url.path == "/auth/login"
        wrong = client.post("/auth/login", data={**account, "password": "wrong"})
        assert "Incorrect password." in wrong.text
        assert "Log Out" in client.post("/auth/login", data=account).text

    posted = author.post("/create", data={"title": "Grüße", "body": "first"})
    assert "Grüße" in posted.text
    (number,) = re.findall(r'href="/(\d+)/update"', posted.text)
    assert f"/{number}/update" not in other.get("/").text
    assert other.post(f"/{number}/update", data={"title": "x", "body": ""}).status_code == 403

    author.post(f"/{number}/update", data={"title": "Grüße", "body": "second"})
    assert "second" in other.get("/").text
    author.post(f"/{number}/delete")
    assert "Grüße" not in other.get("/").text
    assert "Log In" in author.get("/auth/logout").text
    assert author.get("/create").url.path == "/auth/login"
