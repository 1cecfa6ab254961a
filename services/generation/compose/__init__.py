"""Composition of product and background, in every ad size."""
