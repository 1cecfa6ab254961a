"""Masking of secrets in texts that people read."""

import re

_USERINFO = re.compile(r"//[^/@\s\"']+@")


def masked(text: str) -> str:
    """Mask user names and passwords in the URLs of a text."""
    return _USERINFO.sub("//***@", text)
