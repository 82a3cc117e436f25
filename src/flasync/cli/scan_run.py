"""What `flasync scan` does once its arguments are checked: scan, compare, print."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import click

from flasync.cli.report_file import write_report
from flasync.cli.scan_progress import ScanProgress
from flasync.errors import AppNotFoundError, AppStartError
from flasync.toolkit.baseline import (
    DEFAULT_NAME,
    Baseline,
    compare_with_baseline,
    read_baseline,
    write_baseline,
)
from flasync.toolkit.finding import Finding, ScanReport, Severity
from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.project_settings import ProjectSettings, check_codes, load_project_settings
from flasync.toolkit.report.html import build_html
from flasync.toolkit.report.json_format import build_json
from flasync.toolkit.report.outline import identify_place
from flasync.toolkit.report.route_selection import select_routes, suggest_routes
from flasync.toolkit.report.sarif import build_sarif
from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.text import print_findings, print_report, print_routes
from flasync.toolkit.report.wording import count
from flasync.toolkit.report.workflow_commands import list_workflow_commands
from flasync.toolkit.rules import load_rules
from flasync.toolkit.scanning import scan
from flasync.toolkit.suppression import drop_findings, is_selected

_EXIT_FINDINGS = 1
# What an observed command prints goes there while JSON and the like go to the standard output.
_STDERR = 2

# Entries of the baseline that no longer occur and are named.
_GONE_NAMED = 5


@dataclass(frozen=True)
class ScanRun:
    """One run of `flasync scan`; the attributes are the options of the command."""

    import_path: str | None
    root: Path
    static: bool
    route: str | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    check: bool
    baseline: Path | None
    form: str | None
    html: Path | None
    output: Path | None
    observe: tuple[str, ...] | None
    verbose: bool

    def run(self) -> int:
        """Scan, print the report, and return the exit code.

        Raises:
            AppNotFoundError: There is no app.
            AppStartError: The app did not start.
            ProjectSettingError: A setting, or the baseline, is wrong.
        """
        known = self._read_baseline()
        report = self._scan()
        gone: Baseline = Baseline()
        if known is not None:
            comparison = compare_with_baseline(report.findings, known)
            gone = self._keep_selected(comparison.gone)
            hidden = frozenset(map(identify_place, comparison.known))
            report = drop_findings(report, lambda finding: identify_place(finding) in hidden)
        if self.route is not None:
            report = self._choose_route(report, self.route)
        failing = _list_failing(report)
        # Notes are no reason to fail, so a check for people is silent about them.
        self._publish(report, replace(report, findings=failing) if self.check else report)
        return self._judge(len(failing), known, gone) if self.check else 0

    def write_baseline(self) -> int:
        """Scan, write the findings into the baseline, say what changed, and return 0."""
        report = self._scan()
        path = self._baseline_path
        before = read_baseline(path) if path.exists() else Baseline()
        write_baseline(path, report.findings)
        comparison = compare_with_baseline(report.findings, before)
        _say(
            f"Wrote {count(len(report.findings), 'finding')} into {_shorten(path)}:"
            f" {len(comparison.new):,} new, {comparison.gone.total():,} no longer there."
        )
        return 0

    @cached_property
    def _settings(self) -> ProjectSettings:
        settings = load_project_settings(self.root)
        codes = load_rules()
        check_codes(settings.select, codes, "`select` of [tool.flasync]")
        check_codes(settings.ignore, codes, "`ignore` of [tool.flasync]")
        check_codes(self.select, codes, "--select")
        check_codes(self.ignore, codes, "--ignore")
        return replace(
            settings,
            select=self.select or settings.select,
            ignore=(*settings.ignore, *self.ignore),
        )

    @property
    def _baseline_path(self) -> Path:
        return self.baseline or self._settings.baseline or self.root / DEFAULT_NAME

    def _read_baseline(self) -> Baseline | None:
        """Return the baseline that counts; None: every finding does.

        A plain scan shows everything. A check, or a baseline that is named, asks for what is new.
        """
        if self.baseline is None and not self.check:
            return None
        asked = self.baseline is not None or self._settings.baseline is not None
        return read_baseline(self._baseline_path) if asked or self._baseline_path.exists() else None

    def _scan(self) -> ScanReport:
        settings = self._settings
        # The process ends soon, and a collection walks through millions of nodes that all stay.
        gc.disable()
        try:
            with ScanProgress(is_wanted=self.observe is None) as progress:
                report = scan(
                    self.import_path,
                    self.root,
                    settings,
                    static=self.static,
                    observe_command=self.observe,
                    observe_stdout=_STDERR if self.form and self.output is None else None,
                    progress=progress,
                )
            gc.freeze()  # or the last collections walk through it all
            return report
        except (AppNotFoundError, AppStartError) as error:
            error.args = (f"{error.args[0]}. To scan the source alone: flasync scan --static",)
            raise

    def _keep_selected(self, gone: Baseline) -> Baseline:
        """Leave out what this scan was not asked for, and hence has not looked for."""
        select, ignore = self._settings.select, self._settings.ignore
        kept = {item: gone[item] for item in gone if is_selected(item.code, select, ignore)}
        return Baseline(kept)

    @staticmethod
    def _choose_route(report: ScanReport, wanted: str) -> ScanReport:
        chosen = select_routes(report, wanted)
        if not chosen.routes:
            close = suggest_routes(report, wanted)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise click.BadParameter(
                f"no route of {report.app} is {wanted!r}.{hint}", param_hint="--route"
            )
        return chosen

    def _publish(self, report: ScanReport, for_people: ScanReport) -> None:
        if self.html is not None:
            write_report(self.html, build_html(report, self.import_path))
            _say(f"Wrote {_shorten(self.html)}: open it in a browser.")
        if self.form is not None:
            text = self._build_machine_text(report)
            if self.output is None:
                click.echo(text)
            else:
                write_report(self.output, text + "\n")
        elif self.html is None:
            self._print(for_people)

    def _print(self, report: ScanReport) -> None:
        console = build_console()
        if self.check:
            print_findings(report, console, verbose=self.verbose)
        elif self.route is not None:
            print_routes(report, console, import_path=self.import_path)
        else:
            print_report(report, console, verbose=self.verbose, import_path=self.import_path)

    def _build_machine_text(self, report: ScanReport) -> str:
        if self.form == "json":
            return build_json(report)
        base = self._find_repository()
        if self.form == "sarif":
            return build_sarif(report, load_rules(), load_knowledge(self._settings.knowledge), base)
        return "\n".join(list_workflow_commands(report, base))

    def _find_repository(self) -> Path:
        """Return the folder to which the file names of annotations are relative."""
        workspace = os.environ.get("GITHUB_WORKSPACE")
        if workspace and self.root.is_relative_to(workspace):
            return Path(workspace)
        return self.root

    def _judge(self, failing: int, known: Baseline | None, gone: Baseline) -> int:
        """Say whether the check has passed and what of the baseline is gone; return the code."""
        if gone:
            _say(
                f"{count(gone.total(), 'entry', 'entries')} of {_shorten(self._baseline_path)}"
                " no longer there; flasync scan --write-baseline takes them out:"
            )
            for identity in sorted(gone)[:_GONE_NAMED]:
                _say(f"  {identity}")
        finding = "finding" if known is None else "new finding"
        if not failing:
            _say(f"Check passed: no {finding}.")
            return 0
        _say(f"Check failed: {count(failing, finding)}.")
        if known is None:
            _say("To fail for new findings alone: flasync scan --write-baseline")
        return _EXIT_FINDINGS


def _list_failing(report: ScanReport) -> tuple[Finding, ...]:
    return tuple(item for item in report.findings if item.severity is not Severity.NOTE)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _shorten(path: Path) -> str:
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path)
