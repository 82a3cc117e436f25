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
        (b'{"a": 1}', b'{"a": 2}', """'{"a": 1}' became '{"a": 2}'"""),
        (b"abc", b"abcd", "'abc' became 'abcd'"),
        (b"abc", b"", "'abc' became ''"),
        (b"\xff", b"\xfe", "'\ufffd' became '\ufffd'"),
        (b"a " * 50 + b"b", b"a " * 50 + b"c", f"'{'a ' * 6}b' became '{'a ' * 6}c'"),
        (b"http://127.0.0.1:1111/a", b"http://127.0.0.1:2222/a", ""),
    ],
)
def test_bodies(before: bytes, after: bytes, words: str) -> None:
    """Where bodies part is told; the stacks' own addresses are no difference."""
    answers = [build_answer(body=body) for body in (before, after)]
    assert compare_answers(answers[:1] * 2, answers[1:] * 2).body == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("<p>{token}<b>yes", "<p>{token}<b>yes", ""),
        ("<p>{token}<b>yes", "<p>{token}<b>no", "'<p>…<b>yes' became '<p>…<b>no'"),
        ("<p>{token}<b>yes", "<p><b>yes", "'<p>…<b>yes' became '<p><b>yes'"),
        ("<p>{token}<b>yes", "<p>one<b>yes", ""),
    ],
)
def test_words_that_change_by_themselves(before: str, after: str, words: str) -> None:
    """Pages that differ in their tokens alone are the same; the rest of them is compared."""
    answers = [
        [build_answer(body=page.format(token=f"Im{number}-.Z{port}").encode()) for number in (1, 2)]
        for port, page in enumerate((before, after))
    ]
    assert compare_answers(*answers).body == words


@pytest.mark.parametrize(
    "bodies",
    [
        [b"0", b"1", b"2", b"3"],
        [b"0, 0", b"1, 1", b"2, 2", b"3, 3"],
        [b"many", b"many words", b"many other words", b"many more words than these"],
    ],
)
def test_a_body_that_changes_by_itself(bodies: list[bytes]) -> None:
    """A body of which nothing stays the same on one stack, or not its length, tells nothing."""
    answers = [build_answer(body=body) for body in bodies]
    assert compare_answers(answers[:2], answers[2:]).body == CHANGES_BY_ITSELF
    assert compare_answers(answers[:1], answers[1:]).body == CHANGES_BY_ITSELF
