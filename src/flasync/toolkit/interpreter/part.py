"""What the parts of the interpreter have in common: each knows the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


class Part:
    """One part of the interpreter.

    Args:
        evaluator: What the parts share.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
