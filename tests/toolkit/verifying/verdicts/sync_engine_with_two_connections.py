"""An engine with two connections, over a sync driver, in threads. limited: pool 2"""

import flask
import sqlalchemy
import upstream

app = flask.Flask(__name__)
engine = sqlalchemy.create_engine(
    upstream.POSTGRES.replace("postgresql:", "postgresql+psycopg2:"), pool_size=2, max_overflow=0
)


@app.get("/")
def index():
    with engine.connect() as connection:  # here
        connection.execute(sqlalchemy.text("SELECT pg_sleep(0.1)"))
    return ""
