"""The same small application once for each framework, written as its documentation would.

Every one answers the requests of `benchmarks.routes`. A module here imports only its own
framework, so that a server's memory is that of the stack under test.
"""

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
