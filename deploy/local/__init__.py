"""All five processes on this machine: for a first look, for development and for the pipeline tests."""
