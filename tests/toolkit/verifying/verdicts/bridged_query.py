"""A sync-looking query over an async driver, on the loop. overlaps"""

import flask
import sqlalchemy
import upstream

from flasync import on_loop

app = flask.Flask(__name__)
engine = sqlalchemy.create_engine(
    upstream.POSTGRES.replace("postgresql:", "postgresql+asyncpg:"), pool_size=30
)


@app.get("/")
@on_loop
def index():
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_sleep(0.5)"))
    return ""
