"""What `flasync verify` does once its arguments are checked: serve, measure, judge, print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from flasync.cli.report_file import write_page, write_report
from flasync.cli.verify_progress import VerifyProgress
from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.verify_html import build_verify_html
from flasync.toolkit.report.verify_json import build_json
from flasync.toolkit.report.verify_text import print_run
from flasync.toolkit.request_body import guess_content_type
from flasync.toolkit.verifying.bystander import PATH as BYSTANDER_PATH
from flasync.toolkit.verifying.run import Run
from flasync.toolkit.verifying.thresholds import Thresholds, list_breaches, list_failed_verdicts
from flasync.toolkit.verifying.verification import Order, verify

_EXIT_FAILED_CHECK = 1


@dataclass(frozen=True)
class VerifyRun:
    """One run of `flasync verify`; the attributes are the options of the command."""

    import_path: str | None
    root: Path
    paths: tuple[str, ...]
    routes: tuple[str, ...]
    method: str
    data: str
    requests: int
    headers: tuple[tuple[str, str], ...]
    login: Path | None
    url: str | None
    bystander: str | None
    compare: str | None
    """`verification.STOCK`, or a git revision; None: one stack alone is measured."""
    thresholds: Thresholds
    as_json: bool
    output: Path | None
    html: Path | None
    browser: bool
    server: str | None
    timeout_s: float
    verbose: bool
    command: str

    def run(self) -> int:
        """Serve the app, measure, print the report, and return the exit code.

        Raises:
            AppNotFoundError: `flasync serve` refused to start.
            AppStartError: The app did not start.
            MissingExtraError: There is no browser.
            RepositoryError: There is no such revision.
            VerifyError: There is no such route, or the login script failed.
        """
        with VerifyProgress(self.requests) as progress:
            run = verify(self._build_order(), progress)
        breaches = list(list_breaches(run, self.thresholds))
        failed = [*list_failed_verdicts(run), *breaches]
        self._publish(run, breaches, failed)
        return _EXIT_FAILED_CHECK if failed else 0

    def _build_order(self) -> Order:
        return Order(
            import_path=self.import_path,
            routes=tuple((self.method, path) for path in self.paths),
            named=self.routes,
            requests=self.requests,
            headers=self._list_headers(),
            body=self.data.encode(),
            login=self.login,
            server=self.server,
            url=self.url,
            compare=self.compare,
            min_overlap=self.thresholds.min_overlap,
            timeout_s=self.timeout_s,
            browser=self.browser,
            bystander=self.bystander or (None if self.url else BYSTANDER_PATH),
            root=self.root,
            command=self.command,
        )

    def _list_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of each request, with the type of its body if none says that."""
        named = {name.lower() for name, _ in self.headers}
        if not self.data or "content-type" in named:
            return self.headers
        return (*self.headers, ("Content-Type", guess_content_type(self.data.encode())))

    def _publish(self, run: Run, breaches: list[str], failed: list[str]) -> None:
        if self.html is not None:
            write_page(self.html, build_verify_html(run, self.import_path))
        if self.as_json:
            text = build_json(run, failed)
            if self.output is None:
                click.echo(text)
            else:
                write_report(self.output, text + "\n")
        else:
            print_run(
                run,
                build_console(),
                failed=breaches,
                import_path=self.import_path,
                verbose=self.verbose,
            )
