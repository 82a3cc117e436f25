"""What several tests of the command need."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_ssl_devcert


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """The paths of a self-signed certificate and its key."""
    return make_ssl_devcert(str(tmp_path / "test"), host="localhost")


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """What a command sets for its process, such as FLASK_RUN_FROM_CLI, ends with its test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
