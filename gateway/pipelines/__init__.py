"""Pipelines: what a REST request becomes."""
