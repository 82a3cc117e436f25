"""An answer that is there at once. not enough data"""

import flask

app = flask.Flask(__name__)


@app.get("/")
async def index():
    return ""
