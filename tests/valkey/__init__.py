"""Counters shared in a real Valkey."""
