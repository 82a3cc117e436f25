"""The command that was typed, as a report may show it: reports are passed on."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from flasync.toolkit.tracing.shown_values import mask_text

# What stands before a value in its word: a header's name, a long option, a short one, or nothing.
_BEFORE_VALUES = (":", "=", "-d")


def describe_command(words: Iterable[str], secrets: Iterable[str]) -> str:
    """Return a command without what may be secret in it: values of options, passwords of URLs.

    Args:
        words: What was typed after the name of the program.
        secrets: The values, such as the contents of headers; each ends a word.
    """
    # The longest first: one may be the end of another.
    ends = sorted(filter(None, map(str.rstrip, secrets)), key=len, reverse=True)
    return shlex.join(["flasync", *(_hide_value(word, ends) for word in words)])


def _hide_value(word: str, secrets: list[str]) -> str:
    word_end = word.rstrip()
    for secret in secrets:
        before = word_end.removesuffix(secret)
        if before != word_end and (not before or before.rstrip().endswith(_BEFORE_VALUES)):
            return f"{before}…"
    return mask_text(word)
