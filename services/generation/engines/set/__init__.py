"""Rendered studio sets: backgrounds without any external service."""
