"""The application in Starlette."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from benchmarks.apps import TEMPLATES
from benchmarks.routes import ITEMS, WAIT_S

templates = Jinja2Templates(TEMPLATES)


async def hello(request: Request) -> Response:
    return PlainTextResponse("Hello, World!")


async def as_json(request: Request) -> Response:
    return JSONResponse({"hello": "world"})


async def user(request: Request) -> Response:
    return JSONResponse({"id": request.path_params["id"], "q": request.query_params["q"]})


async def order(request: Request) -> Response:
    data = await request.json()
    return JSONResponse({"name": data["name"], "total": data["price"] * data["count"]})


async def page(request: Request) -> Response:
    return templates.TemplateResponse(request, "page.html", {"title": "Items", "items": ITEMS})


async def wait(request: Request) -> Response:
    await asyncio.sleep(WAIT_S)
    return PlainTextResponse("done")


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/json", as_json),
        Route("/user/{id:int}", user),
        Route("/order", order, methods=["POST"]),
        Route("/page", page),
        Route("/wait", wait),
    ]
)
