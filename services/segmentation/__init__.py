"""Segmentation: cutting the product out of a photo, and finding the objects in a picture."""
