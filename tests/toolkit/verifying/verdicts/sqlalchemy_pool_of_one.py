"""An engine with one connection, over an async driver. does not overlap: pool"""

import flask
import sqlalchemy
import upstream
from sqlalchemy.ext.asyncio import create_async_engine

app = flask.Flask(__name__)
engine = create_async_engine(
    upstream.POSTGRES.replace("postgresql:", "postgresql+asyncpg:"), pool_size=1, max_overflow=0
)


@app.get("/")
async def index():
    async with engine.connect() as connection:  # here
        await connection.execute(sqlalchemy.text("SELECT pg_sleep(0.1)"))
    return ""
