"""The pipelines: what a REST call becomes."""
