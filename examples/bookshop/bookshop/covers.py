"""Cover images, on disk."""

import os
import uuid

from flask import current_app

SIGNATURES = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}


class NotAnImage(ValueError):
    """The uploaded file is none of the kinds that we accept."""


def save_cover(upload):
    """Store an uploaded image and return its file name."""
    start = upload.stream.read(12)
    upload.stream.seek(0)
    extensions = [SIGNATURES[signature] for signature in SIGNATURES if start.startswith(signature)]
    if not extensions:
        raise NotAnImage(upload.filename)
    folder = current_app.config["COVER_FOLDER"]
    os.makedirs(folder, exist_ok=True)
    name = uuid.uuid4().hex + extensions[0]
    upload.save(os.path.join(folder, name))
    return name


def delete_cover(name):
    if name:
        path = os.path.join(current_app.config["COVER_FOLDER"], name)
        if os.path.exists(path):
            os.remove(path)
