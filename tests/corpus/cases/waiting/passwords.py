"""Password hashing, which computes for long; quick digests do not."""

import hashlib

from flask import Flask
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)


class User:
    def __init__(self, password):
        self.hash = generate_password_hash(password)  # blocks: werkzeug.security.generate_password_hash

    def check(self, password):
        return check_password_hash(self.hash, password)  # blocks: werkzeug.security.check_password_hash


@app.get("/")
def index():
    user = User("secret")
    digest = hashlib.sha256(b"text").hexdigest()
    key = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1000)  # blocks: hashlib.pbkdf2_hmac
    return f"{user.check('secret')} {digest} {key.hex()}"
