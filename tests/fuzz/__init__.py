"""Fuzzers: `python -m tests.fuzz.<target>`. The tests run each for a bounded time."""
