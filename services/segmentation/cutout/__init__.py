"""Cutting the product out of a photo."""
