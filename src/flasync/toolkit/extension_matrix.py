"""What is known of Flask extensions: how their own tests went through flasync, and advice."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownExtension:
    """One line of the matrix of docs/extensions.md, or an extension that needs care.

    Attributes:
        title: How people call it; with what it was tested on, where it was tested on more.
        distribution: Its name on the package index.
        module: What is imported.
        version: The version whose tests were run; "" when none were.
        tests: How many tests it has.
        differences: How many of them come to something else through flasync than without it.
        advice: What to do about it, in one or two sentences; "" for nothing.
    """

    title: str
    distribution: str
    module: str
    version: str = ""
    tests: int = 0
    differences: int = 0
    advice: str = ""


@lru_cache(maxsize=1)
def load_extension_matrix() -> tuple[KnownExtension, ...]:
    """Return all that is known, in the order of docs/extensions.md."""
    path = Path(__file__).with_name("extensions.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(KnownExtension(**entry) for entry in (*data["tested"], *data["care"]))
