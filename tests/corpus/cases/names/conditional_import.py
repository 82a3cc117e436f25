"""A module chosen while the program starts."""

import sys

from flask import Flask

if sys.version_info >= (3, 0):
    import urllib.request as web
else:
    import urllib2 as web

app = Flask(__name__)


@app.get("/")
def index():
    return web.urlopen("http://127.0.0.1:8799/").read()  # blocks: urllib.request.urlopen
