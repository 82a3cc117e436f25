"""flaskr, the application of Flask's tutorial, used over HTTP as its readers use it."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pains.servers import SERVERS, Served, serve


@pytest.fixture(scope="module")
def flaskr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `examples/tutorial` of the sdist of the Flask that is installed."""
    folder = tmp_path_factory.mktemp("flask")
    requirement = f"flask=={importlib.metadata.version('flask')}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "flask", "--dest", str(folder), requirement]
    subprocess.run(command, check=True, timeout=100)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    (tutorial,) = folder.glob("*/examples/tutorial")
    return tutorial


@pytest.fixture(params=SERVERS)
def flaskr(request: pytest.FixtureRequest, flaskr_folder: Path, tmp_path: Path) -> Iterator[Served]:
    """flaskr on each server, with a database of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "FLASKR_FOLDER", str(flaskr_folder))
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
