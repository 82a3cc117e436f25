"""`flasync migrate`: from the findings of a scan to changed files that are proved to work.

`plan.py` is what is decided, `planning.py` decides it from the call graph, `recipes/` know how one
blocking call is replaced, `rewriting.py` writes the new text of a file, `applying.py` puts it in
place or takes it back, `proving.py` runs the app's own tests.
"""
