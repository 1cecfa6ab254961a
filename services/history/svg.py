"""SVG logos: drawn once, when a brand is stored, in a process of their own with little time and memory.

`python -m services.history.svg` reads SVG from standard input and writes PNG to standard output.
"""

import re
import resource
import subprocess
import sys
from typing import Final

import resvg_py
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from common.errors import InvalidInputError

SIDE: Final = 1200
"""Pixels of the longer side of the drawing: as much as an ad can show."""
SECONDS: Final = 5
MEMORY: Final = 512 * 2**20
REFUSED: Final = ("image", "feImage", "text", "foreignObject", "script")
"""Elements that read other files, need fonts that only the sender has, or are not drawn."""
SHAPES_ALONE: Final = 3
"""Exit status: the drawing has one of them."""
_START = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|!DOCTYPE svg|svg)")


def is_svg(file: bytes) -> bool:
    """Return whether a file looks like SVG; any other picture starts otherwise."""
    return bool(_START.match(file))


def drawn(file: bytes) -> bytes:
    """Return an SVG file as a PNG file with transparency, whose longer side has SIDE pixels.

    Raises:
        InvalidInputError: It cannot be drawn, is not made of shapes alone, or takes too long.
    """
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=file, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise InvalidInputError(
            "The SVG logo takes too long to draw: simplify it, or send a PNG.", "BRAND_LOGO"
        ) from None
    if done.returncode == SHAPES_ALONE:
        raise InvalidInputError(
            "An SVG logo must consist of shapes: convert its text to paths and remove its pictures, or send a PNG.",
            "BRAND_LOGO",
        )
    if done.returncode or not done.stdout:
        raise InvalidInputError("The SVG logo cannot be drawn: send a PNG.", "BRAND_LOGO")
    return done.stdout


def _draw(file: bytes) -> bytes:
    try:
        root = fromstring(file, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        sys.exit("no SVG")
    if any(str(element.tag).rpartition("}")[2] in REFUSED for element in root.iter()):
        sys.exit(SHAPES_ALONE)
    text = file.decode()
    small = resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True, width=SIDE // 100)
    is_tall = int.from_bytes(small[20:24]) > int.from_bytes(small[16:20])  # the size in a PNG's header
    width, height = (None, SIDE) if is_tall else (SIDE, None)
    return bytes(resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True, width=width, height=height))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.buffer.write(_draw(sys.stdin.buffer.read()))
