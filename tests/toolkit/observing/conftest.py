from pathlib import Path

import pytest
from tests.toolkit.observing.projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path)
