"""Imaging: picture files, pixel arrays and messages."""
