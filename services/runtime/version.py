"""The version of this software, as manifests and pyproject.toml name it."""

VERSION = "0.1.0"
