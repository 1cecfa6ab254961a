"""Rendered rooms in which it is known what things are and where something can stand."""
