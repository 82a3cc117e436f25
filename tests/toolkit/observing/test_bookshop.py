"""The example's own suite under observation."""

import sys
from pathlib import Path

import pytest

from flasync.toolkit.observing.launch import run_observed

BOOKSHOP = Path(__file__).resolve().parents[3] / "examples" / "bookshop"


def test_bookshop() -> None:
    """The suite passes as it does unobserved, and every request of the shop has its route."""
    for package in ("aiosmtpd", "email_validator", "flask_wtf"):
        pytest.importorskip(package, reason="needs examples/bookshop/requirements-dev.txt")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_api.py"]
    exit_code, observation = run_observed(["env", "-C", str(BOOKSHOP), *command], BOOKSHOP, {})
    assert exit_code == 0
    assert {"/api/books", "/api/books/<isbn>"} <= {route.rule for route in observation.routes}
    assert "bookshop" in {route.app for route in observation.routes}
    for route in observation.routes:
        assert route.waited_ms <= route.wall_ms
