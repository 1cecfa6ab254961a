"""Backgrounds for a product and its audience."""
