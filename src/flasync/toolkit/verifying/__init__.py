"""Proof that a served app's requests overlap: measured from outside, explained from inside."""
