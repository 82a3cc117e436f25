"""Observed evidence: a command is run, and which routes really waited is merged into a scan."""

from flasync.toolkit.observing.launch import run_observed
from flasync.toolkit.observing.merging import list_lines, merge
from flasync.toolkit.observing.observation import Observation

__all__ = ["Observation", "list_lines", "merge", "run_observed"]
