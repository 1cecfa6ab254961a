"""Version of the installed distribution."""

from importlib.metadata import version

VERSION = version("product-image-generator")
