"""What several tests of serving need."""

from pathlib import Path

import pytest
from werkzeug.serving import make_ssl_devcert


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """The paths of a self-signed certificate and its key."""
    return make_ssl_devcert(str(tmp_path / "test"), host="localhost")
