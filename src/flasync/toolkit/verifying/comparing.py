"""Whether two stacks gave the same answer: status, headers and body."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flasync.toolkit.verifying.run import Sameness
from flasync.toolkit.verifying.sending import Answer

# A body that differs also between two requests to one stack: it tells nothing about the stacks.
CHANGES_BY_ITSELF = "changes by itself"

# What a server adds or chooses, and no app; the length is that of the body, which is compared.
_OF_SERVERS = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "server-timing",
        "transfer-encoding",
    }
)

# Bytes of a body that are shown where two differ.
_SHOWN_BYTES = 30


@dataclass(frozen=True, slots=True)
class Answers:
    """What one stack answered to the same request, again and again."""

    url: str
    """Of the stack: absolute links in the answers differ by it alone."""
    answers: Sequence[Answer]

    def list_statuses(self) -> list[str]:
        """Return the statuses without repetition, in order."""
        return sorted({str(answer.request.status or "none") for answer in self.answers})

    def list_headers(self) -> dict[str, set[str]]:
        """Return the values of each header of the app, by its name in lower case.

        One value for each answer: that of a header which comes several times is all of them. "" is
        that of an answer without it.
        """
        rows = [self._collect_headers(answer) for answer in self.answers]
        return {name: {row.get(name, "") for row in rows} for row in rows for name in row}

    def list_bodies(self) -> set[bytes]:
        """Return the bodies without repetition."""
        netloc = urlsplit(self.url).netloc.encode()
        return {answer.body.replace(netloc, b"") for answer in self.answers}

    def _collect_headers(self, answer: Answer) -> dict[str, str]:
        values = defaultdict(list)
        for name, value in answer.headers:
            if name.lower() not in _OF_SERVERS:
                shown = _hide_values(value) if name.lower() == "set-cookie" else value
                values[name.lower()].append(shown.replace(urlsplit(self.url).netloc, ""))
        return {name: ", ".join(sorted(group)) for name, group in values.items()}


def compare(before: Answers, after: Answers) -> Sameness:
    """Return in what the answers of two stacks differ.

    Args:
        before: One answer at least; two or more tell what changes by itself.
        after: The same of the stack in question.
    """
    return Sameness(
        _compare_statuses(before, after),
        _compare_headers(before.list_headers(), after.list_headers()),
        _compare_bodies(before.list_bodies(), after.list_bodies()),
    )


def _compare_statuses(before: Answers, after: Answers) -> str:
    first, second = before.list_statuses(), after.list_statuses()
    return "" if first == second else f"{_join(first)} became {_join(second)}"


def _join(words: Iterable[str]) -> str:
    return " or ".join(words)


def _compare_headers(before: dict[str, set[str]], after: dict[str, set[str]]) -> str:
    differences = []
    for name in sorted(before.keys() | after.keys()):
        first, second = before.get(name, {""}), after.get(name, {""})
        if first & second or max(len(first), len(second)) > 1:
            continue  # the same, or it changes by itself
        differences.append(f"{name.title()}: {_show(first)} became {_show(second)}")
    return "; ".join(differences)


def _show(values: set[str]) -> str:
    (value,) = values
    return repr(value) if value else "none"


def _compare_bodies(before: set[bytes], after: set[bytes]) -> str:
    if before == after and len(before) == 1:
        return ""
    if max(len(before), len(after)) > 1:
        return CHANGES_BY_ITSELF
    (first,), (second,) = before, after
    place = next(
        (
            number
            for number, pair in enumerate(zip(first, second, strict=False))
            if pair[0] != pair[1]
        ),
        min(len(first), len(second)),
    )
    shown = [_show_body(body[place : place + _SHOWN_BYTES]) for body in (first, second)]
    return f"from byte {place}, {shown[0]} became {shown[1]}"


def _show_body(part: bytes) -> str:
    return repr(part.decode(errors="replace")) if part else "its end"


def _hide_values(cookie: str) -> str:
    """Return a Set-Cookie without the value, which is signed with the time, and its dates."""
    name, _, rest = cookie.partition("=")
    attributes = [part.strip() for part in rest.split(";")[1:]]
    kept = [part for part in attributes if not part.lower().startswith("expires=")]
    return "; ".join([f"{name.strip()}=…", *kept])
