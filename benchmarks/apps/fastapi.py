"""The application in FastAPI."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel

from benchmarks.apps import TEMPLATES
from benchmarks.routes import ITEMS, WAIT_S

app = FastAPI()
templates = Jinja2Templates(TEMPLATES)


class Order(BaseModel):
    name: str
    price: float
    count: int


@app.get("/", response_class=PlainTextResponse)
async def hello() -> str:
    return "Hello, World!"


@app.get("/json")
async def as_json() -> dict[str, str]:
    return {"hello": "world"}


@app.get("/user/{id}")
async def user(id: int, q: str) -> dict[str, int | str]:
    return {"id": id, "q": q}


@app.post("/order")
async def order(order: Order) -> dict[str, float | str]:
    return {"name": order.name, "total": order.price * order.count}


@app.get("/page", response_class=HTMLResponse)
async def page(request: Request) -> Response:
    return templates.TemplateResponse(request, "page.html", {"title": "Items", "items": ITEMS})


@app.get("/wait", response_class=PlainTextResponse)
async def wait() -> str:
    await asyncio.sleep(WAIT_S)
    return "done"
