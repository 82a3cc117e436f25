"""Whether two stacks gave the same answer, from made-up answers."""

import pytest

from flasync.toolkit.verifying.comparing import CHANGES_BY_ITSELF, Answers, compare
from flasync.toolkit.verifying.run import Request, Sameness
from flasync.toolkit.verifying.sending import Answer

Pairs = dict[str, str]


def build_answer(
    status: int | None = 200, headers: Pairs | None = None, body: bytes = b"ok"
) -> Answer:
    """What one request got."""
    return Answer("id", Request(0, None, 0, 1, 2, status), tuple((headers or {}).items()), body)


def compare_answers(before: list[Answer], after: list[Answer]) -> Sameness:
    """The comparison of two stacks at two ports."""
    return compare(
        Answers("http://127.0.0.1:1111", before), Answers("http://127.0.0.1:2222", after)
    )


def test_same_answers() -> None:
    """Answers that are alike differ in nothing."""
    answers = [build_answer(headers={"Content-Type": "text/plain"})] * 2
    assert compare_answers(answers, answers) == Sameness()


@pytest.mark.parametrize(("status", "words"), [(500, "200 became 500"), (None, "200 became none")])
def test_another_status(status: int | None, words: str) -> None:
    """Another status is told, and that there was no answer."""
    assert compare_answers([build_answer()], [build_answer(status)]).status == words


def test_a_status_now_and_then() -> None:
    """A stack that fails now and then differs from one that never does."""
    answers = [build_answer(), build_answer(500)]
    assert compare_answers([build_answer()] * 2, answers).status == "200 became 200 or 500"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"X-A": "1"}, {"X-A": "2"}, "X-A: '1' became '2'"),
        ({"X-A": "1"}, {}, "X-A: '1' became none"),
        ({}, {"x-a": "1"}, "X-A: none became '1'"),
        ({"X-A": "1", "X-B": "1"}, {}, "X-A: '1' became none; X-B: '1' became none"),
        ({"x-a": "1"}, {"X-A": "1"}, ""),
        ({"Date": "1", "Server": "1", "Content-Length": "2"}, {"Connection": "close"}, ""),
        ({"Set-Cookie": "s=1; Path=/"}, {"Set-Cookie": "s=2; Path=/"}, ""),
        (
            {"Set-Cookie": "s=1; Expires=Mon, 01 Jan 2024 00:00:00 GMT; HttpOnly"},
            {"Set-Cookie": "s=1; HttpOnly; Expires=Tue, 02 Jan 2024 00:00:00 GMT"},
            "",
        ),
        ({"Set-Cookie": "s=1; Secure"}, {"Set-Cookie": "s=1"}, "Set-Cookie: 's=…; Secure' became"),
        ({"Location": "http://127.0.0.1:1111/a"}, {"Location": "http://127.0.0.1:2222/a"}, ""),
    ],
)
def test_headers(before: Pairs, after: Pairs, words: str) -> None:
    """Headers of the app are compared, and what is the server's, or a cookie's value, is not."""
    answers = [build_answer(headers=pairs) for pairs in (before, after)]
    told = compare_answers(answers[:1] * 2, answers[1:] * 2).headers
    assert told == words if not words or "became none" in words else told.startswith(words)


def test_a_header_that_changes_by_itself() -> None:
    """A header that no two answers of a stack share tells nothing."""
    answers = [build_answer(headers={"X-Request-Id": str(number)}) for number in range(4)]
    assert compare_answers(answers[:2], answers[2:]).headers == ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'{"a": 1}', b'{"a": 2}', "from byte 6, '1}' became '2}'"),
        (b"abc", b"abcd", "from byte 3, its end became 'd'"),
        (b"abc", b"", "from byte 0, 'abc' became its end"),
        (b"\xff", b"\xfe", "from byte 0, '\ufffd' became '\ufffd'"),
        (b"http://127.0.0.1:1111/a", b"http://127.0.0.1:2222/a", ""),
    ],
)
def test_bodies(before: bytes, after: bytes, words: str) -> None:
    """Where bodies part is told; the stacks' own addresses are no difference."""
    answers = [build_answer(body=body) for body in (before, after)]
    assert compare_answers(answers[:1] * 2, answers[1:] * 2).body == words


def test_a_body_that_changes_by_itself() -> None:
    """A body that differs from request to request on one stack is told as that."""
    answers = [build_answer(body=str(number).encode()) for number in range(4)]
    assert compare_answers(answers[:2], answers[2:]).body == CHANGES_BY_ITSELF
    assert compare_answers(answers[:1], answers[1:]).body == CHANGES_BY_ITSELF
