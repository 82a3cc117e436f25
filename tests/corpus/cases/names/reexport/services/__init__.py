"""The front: re-exports from below, one of them from the standard library."""

from .remote import load
from .clock import pause as wait

__all__ = ["load", "wait"]
