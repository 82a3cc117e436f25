"""The limit of open files, in processes of their own."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
from flasync.toolkit.verifying.open_files import allow_connections
soft, hard, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
allow_connections(count)
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "count", "limits"),
    [
        (1024, 10_000, 2000, (4256, 10_000)),
        (1024, 3000, 2000, (3000, 3000)),  # No more than the system allows.
        (1024, 10_000, 20, (1024, 10_000)),  # Never less than it was.
    ],
)
def test_soft_limit_is_raised(soft: int, hard: int, count: int, limits: tuple[int, int]) -> None:
    """The soft limit is what the requests need, up to the hard one, which stays."""
    command = [sys.executable, "-c", SCRIPT, *map(str, (soft, hard, count))]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert tuple(map(int, ended.stdout.split())) == limits
