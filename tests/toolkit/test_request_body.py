"""`toolkit.request_body`: what kind of body a person has typed."""

import pytest

from flasync.toolkit.request_body import guess_content_type


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"a": 1}', "application/json"),
        (b" \n[1]", "application/json"),
        (b"a=1&b={2}", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_content_types(body: bytes, kind: str) -> None:
    """The first character decides, past white space."""
    assert guess_content_type(body) == kind
