"""Putting the product into the background, in every size."""
