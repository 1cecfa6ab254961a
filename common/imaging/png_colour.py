"""Colours of PNG files that say with which primaries and curve they are stored: chunks cICP and gAMA.

As browsers do: PNG (Third Edition), https://www.w3.org/TR/png-3, sections 11.3.2 and 12.1; code points of cICP from
ITU-T H.273. A colour profile (iCCP) is left to the profile's own code.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_TO_XYZ = {
    1: ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)),  # sRGB
    9: ((0.6370, 0.1446, 0.1689), (0.2627, 0.6780, 0.0593), (0.0, 0.0281, 1.0610)),  # BT.2020
    12: ((0.4866, 0.2657, 0.1982), (0.2290, 0.6917, 0.0793), (0.0, 0.0451, 1.0439)),  # Display P3
}
"""From linear light to CIE XYZ, by the code point of the primaries."""
_SRGB_CURVE = (1, 6, 13, 14, 15)
"""Code points of curves that browsers treat as that of sRGB."""
_LINEAR = 8
_USUAL_GAMMA = 1 / 2.2


@dataclass(frozen=True)
class SourceColour:
    """How colours are stored.

    Attributes:
        primaries: Code point of the primaries.
        gamma: Exponent of the curve; None: the curve of sRGB.
    """

    primaries: int
    gamma: float | None


def source_colour(data: bytes) -> SourceColour | None:
    """Return how the colours of a PNG file are stored; None: as sRGB, by a profile, or in a way that is not known."""
    chunks = dict(_chunks(data))
    cicp, gamma = chunks.get(b"cICP", b""), chunks.get(b"gAMA", b"")
    if len(cicp) == 4:
        primaries, curve = cicp[0], cicp[1]
        if primaries in _TO_XYZ and (curve in _SRGB_CURVE or curve == _LINEAR):
            found = SourceColour(primaries, 1.0 if curve == _LINEAR else None)
            return None if found == SourceColour(1, None) else found
        return None
    if len(gamma) == 4 and b"iCCP" not in chunks and b"sRGB" not in chunks:
        exponent = struct.unpack(">I", gamma)[0] / 100_000
        if exponent > 0.01 and abs(exponent - _USUAL_GAMMA) > 0.01:
            return SourceColour(1, 1 / exponent)
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks before the pixels: type and contents."""
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            return
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length


def to_srgb(pixels: Pixels, colour: SourceColour) -> Pixels:
    """Convert (H, W, 3) to sRGB."""
    levels = np.arange(256) / 255
    curve = _linear(levels) if colour.gamma is None else levels**colour.gamma
    linear = curve[pixels]
    if colour.primaries != 1:
        linear = linear @ (np.linalg.inv(np.array(_TO_XYZ[1])) @ np.array(_TO_XYZ[colour.primaries])).T
    return np.asarray(np.round(_encoded(np.clip(linear, 0, 1)) * 255), np.uint8)


def _linear(encoded: Matrix) -> Matrix:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: Matrix) -> Matrix:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
