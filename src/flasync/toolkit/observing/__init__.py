"""Observed evidence: a command is run, and which routes really waited is merged into a scan."""
