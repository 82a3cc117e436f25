"""What may be passed as a certificate."""

import ssl
import sys
from pathlib import Path

import pytest

from flasync.errors import MissingExtraError, ServeOptionError
from flasync.serving.certificates import resolve_certificate


def test_none_is_no_tls() -> None:
    """No certificate is no TLS."""
    assert resolve_certificate(None, "localhost") is None


def test_pair_of_files_is_taken(certificate: tuple[str, str]) -> None:
    """A pair of paths is taken, also as Path objects."""
    paths = (Path(certificate[0]), Path(certificate[1]))
    assert resolve_certificate(paths, "localhost") == certificate


def test_adhoc_is_a_certificate_that_loads() -> None:
    """An ad-hoc certificate is a pair of files that Python's TLS accepts."""
    certificate = resolve_certificate("adhoc", "localhost")
    assert isinstance(certificate, tuple)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*certificate)


@pytest.mark.parametrize("given", ["cert.pem", ("cert.pem", None), ("a", "b", "c"), 5])
def test_anything_else_is_refused(given: object) -> None:
    """What is no certificate is refused with the two forms that are."""
    with pytest.raises(ServeOptionError, match=r"--cert cert\.pem --key key\.pem"):
        resolve_certificate(given, "localhost")


def test_adhoc_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package cryptography, the error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingExtraError, match="pip install cryptography"):
        resolve_certificate("adhoc", "localhost")
