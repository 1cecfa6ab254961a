"""Fuzzers: `python -m tests.fuzz.<target>`; their tests run each for a bounded time."""
