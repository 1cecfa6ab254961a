"""Engines that fill holes."""
