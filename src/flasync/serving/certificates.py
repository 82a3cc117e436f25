"""TLS: from what Flask users pass as `ssl_context` or `--cert`, to what servers take."""

from __future__ import annotations

import atexit
import os
import shutil
import ssl
import tempfile
from typing import Any

from werkzeug.serving import make_ssl_devcert

from flasync.errors import MissingExtraError, ServeOptionError

Certificate = tuple[str, str] | ssl.SSLContext


def resolve_certificate(given: Any, host: str) -> Certificate | None:
    """Return the certificate that `given` stands for.

    Args:
        given: None, "adhoc", (certificate path, key path) or an `ssl.SSLContext`, as
            `werkzeug.serving.run_simple` takes.
        host: The name that an ad-hoc certificate is made out to.

    Raises:
        MissingExtraError: "adhoc" needs the package cryptography.
        ServeOptionError: `given` is none of these, or a file is missing.
    """
    if given is None or isinstance(given, ssl.SSLContext):
        return given
    if given == "adhoc":
        return make_adhoc_certificate(host)
    if isinstance(given, tuple) and len(given) == 2 and all(given):  # noqa: PLR2004 (a pair)
        return _check_files(os.fspath(given[0]), os.fspath(given[1]))
    raise ServeOptionError(
        f"The TLS setting {given!r} is none of 'adhoc', (certificate file, key file) and an"
        " ssl.SSLContext. Pass both files: --cert cert.pem --key key.pem"
    )


def _check_files(certfile: str, keyfile: str) -> tuple[str, str]:
    for path in (certfile, keyfile):
        if not os.path.isfile(path):
            raise ServeOptionError(
                f"The TLS file {path!r} does not exist (current directory: {os.getcwd()!r})."
                " Name the two PEM files: --cert cert.pem --key key.pem"
            )
    return certfile, keyfile


def make_adhoc_certificate(host: str) -> tuple[str, str]:
    """Return the paths of a new self-signed certificate and its key, removed at exit."""
    folder = tempfile.mkdtemp(prefix="flasync-cert-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        return make_ssl_devcert(os.path.join(folder, "adhoc"), host=host)
    except (ImportError, TypeError) as error:  # Werkzeug raises a TypeError for the missing import.
        raise MissingExtraError(
            "An ad-hoc certificate needs cryptography: pip install cryptography"
        ) from error
