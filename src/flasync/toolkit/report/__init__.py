"""The output of `flasync scan`: text, JSON, SARIF, GitHub annotations, HTML. Knows no rule."""
