"""Photographic sets: path-traced scenes with the product in them, lit by real panoramas. No external service."""
