"""A real browser for tests, or the reason why there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from flasync.errors import MissingExtraError
from flasync.toolkit.verifying.chromium import ARGUMENTS, find_chromium


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A running Chromium; without one a test is skipped, and fails where CI=true."""
    try:
        path = find_chromium()
    except MissingExtraError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
