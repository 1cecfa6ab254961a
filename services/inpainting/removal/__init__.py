"""Removing objects with their shadows."""
