"""What `flasync trace` does once its arguments are checked: trace, print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from flasync.cli.report_file import write_page
from flasync.serving.location import load_flask_app
from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.trace_html import build_trace_html
from flasync.toolkit.report.trace_text import print_trace
from flasync.toolkit.tracing.memory_client import Message
from flasync.toolkit.tracing.trace import Trace
from flasync.toolkit.tracing.trace_json import build_trace_json
from flasync.toolkit.tracing.tracing import Order, trace_request

_EXIT_FINDINGS = 1


@dataclass(frozen=True)
class TraceRun:
    """One run of `flasync trace`; the attributes are the options of the command."""

    import_path: str | None
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    data: str
    beside: int
    timeout_s: float
    max_hold_ms: float
    with_variables: bool
    as_json: bool
    html: Path | None

    def run(self) -> int:
        """Trace the request, print the trace, and return the exit code.

        Raises:
            AppNotFoundError: There is no app.
            AppStartError: The app did not start.
        """
        order = Order(
            Message(self.method, self.path, self.headers, self.data.encode()),
            beside=self.beside,
            timeout_s=self.timeout_s,
            max_hold_ms=self.max_hold_ms,
            with_variables=self.with_variables,
            root=Path.cwd(),
        )
        trace = trace_request(load_flask_app(self.import_path), order)
        self._publish(trace)
        return _EXIT_FINDINGS if trace.findings else 0

    def _publish(self, trace: Trace) -> None:
        if self.html is not None:
            write_page(self.html, build_trace_html(trace))
        if self.as_json:
            click.echo(build_trace_json(trace))
        elif self.html is None:
            print_trace(trace, build_console())
