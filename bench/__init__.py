"""Measurements, one runnable file per question."""
