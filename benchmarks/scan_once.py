"""One scan in a process of its own; its figures are printed as JSON.

Run by the interpreter of the app's environment, as `python -P scan_once.py APP ROOT`; with
`--only-import` behind it nothing is scanned.
"""

import json
import resource
import sys
import time
from pathlib import Path

from flasync.serving.location import load_flask_app
from flasync.toolkit import scanning
from flasync.toolkit.finding import ScanReport
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.rules import Program

_walks: list[int] = []
_functions: set[int] = set()


def main(app: str, root: str, *options: str) -> None:
    """Scan, or only import, and print the figures."""
    if options:
        started = time.perf_counter()
        load_flask_app(app)
        figures = {"import_s": time.perf_counter() - started}
    else:
        scanning.build_report = _build_report
        report = scanning.scan(app, Path(root), ProjectSettings())
        figures = {
            "lines": report.lines,
            "files": report.files,
            "routes": len(report.routes),
            "findings": len(report.findings),
            "functions": len(_functions),
            "walks": sum(_walks),
            "import_s": report.import_s,
            "scan_s": report.duration_s - report.import_s,
            "processor_s": time.process_time(),
        }
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({**figures, "peak_mib": peak / 2**20}))


def _build_report(program: Program, settings: ProjectSettings) -> ScanReport:
    """Count what was walked, which no report tells."""
    _walks.append(len(program.functions))
    _functions.update(id(function.tree) for function in program.functions)
    return _original(program, settings)


_original = scanning.build_report

if __name__ == "__main__":
    main(*sys.argv[1:])
