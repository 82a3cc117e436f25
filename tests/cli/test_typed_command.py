"""The typed command of a report, without secrets."""

import pytest

from flasync.cli.typed_command import describe_command


@pytest.mark.parametrize(
    ("words", "secrets", "shown"),
    [
        (["verify", "/a b"], [], "flasync verify '/a b'"),
        (["-H", "X-Key:  s3cret "], ["s3cret"], "flasync -H 'X-Key:  …'"),
        (["-HX-Key: s3cret"], ["s3cret"], "flasync '-HX-Key: …'"),
        (["-d", '{"password": "x"}\n'], ['{"password": "x"}\n'], "flasync -d '…'"),
        (["-dpassword=x"], ["password=x"], "flasync '-d…'"),
        (["--data=password=x"], ["password=x"], "flasync '--data=…'"),
        (["-d", ""], [""], "flasync -d ''"),
        (["--url=http://eva:x@shop"], [], "flasync '--url=http://eva:***@shop'"),
        (["/books?page=2&token=x"], [], "flasync '/books?page=2&token=***'"),
        # A short one leaves other words alone, and nothing of a longer one.
        (
            ["/shore", "-H", "A: e", "-H", "B: c:e"],
            ["e", "c:e"],
            "flasync /shore -H 'A: …' -H 'B: …'",
        ),
    ],
)
def test_secrets_are_left_out(words: list[str], secrets: list[str], shown: str) -> None:
    """What was given to an option that may carry a secret is not shown, however it was typed."""
    assert describe_command(words, secrets) == shown
