"""A stand-in for the wholesaler's web service: small, and as slow as the real one."""

from supplier.service import create_app

__all__ = ["create_app"]
