"""The conformance run: other projects' own test suites, stock and through flasync."""
