"""OpenTelemetry's Flask instrumentation, set up as its documentation says."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import flasync
from pains.apps.ledger import Ledger

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer(__name__)

app = flask.Flask(__name__)
FlaskInstrumentor().instrument_app(app, excluded_urls="ledger,spans,is-it-up")
ledger = Ledger()
ledger.init_app(app)


@app.get("/sync/<int:number>")
def sync_view(number: int) -> str:
    """A span inside the request's, across a wait."""
    with tracer.start_as_current_span(f"inner {number}"):
        flasync.await_(asyncio.sleep(0.001))
        with tracer.start_as_current_span(f"innermost {number}"):
            flasync.await_(asyncio.sleep(0.001))
    return "ok"


@app.get("/async/<int:number>")
async def async_view(number: int) -> str:
    """A span inside the request's, across awaits."""
    with tracer.start_as_current_span(f"inner {number}"):
        await asyncio.sleep(0.001)
        with tracer.start_as_current_span(f"innermost {number}"):
            await asyncio.sleep(0.001)
    return "ok"


@app.get("/sync-stream/<int:number>")
def sync_stream(number: int) -> Iterator[str]:
    """A span that is open while the stream runs."""

    def generate() -> Iterator[str]:
        with tracer.start_as_current_span(f"inner {number}"):
            for _ in range(3):
                yield "chunk"
                with tracer.start_as_current_span(f"innermost {number}"):
                    flasync.await_(asyncio.sleep(0.001))

    return flask.stream_with_context(generate())


@app.get("/async-stream/<int:number>")
async def async_stream(number: int) -> AsyncIterator[str]:
    """A span that is open while the stream runs."""

    async def generate() -> AsyncIterator[str]:
        with tracer.start_as_current_span(f"inner {number}"):
            for _ in range(3):
                yield "chunk"
                with tracer.start_as_current_span(f"innermost {number}"):
                    await asyncio.sleep(0.001)

    return flask.stream_with_context(generate())


@app.get("/sync-error/<int:number>")
def sync_error(number: int) -> str:
    """An error."""
    raise LookupError(f"no {number}")


@app.get("/async-error/<int:number>")
async def async_error(number: int) -> str:
    """An error after an await."""
    await asyncio.sleep(0)
    raise LookupError(f"no {number}")


@app.get("/spans")
async def spans() -> list[dict[str, object]]:
    """Every finished span."""
    return [
        {
            "name": span.name,
            "trace": span.context.trace_id,
            "id": span.context.span_id,
            "parent": span.parent and span.parent.span_id,
            "status": span.attributes.get("http.status_code"),
        }
        for span in exporter.get_finished_spans()
    ]


@app.post("/spans/clear")
async def clear_spans() -> str:
    """Forget them."""
    exporter.clear()
    return ""


asgi = flasync.ASGI(app)
