"""Damage to picture files that gets past what protects them."""

import random
import struct
import zlib

MAX_SIDE = (1 << 32) - 1
FRAMES = (b"\xff\xc0", b"\xff\xc2")
"""Markers of the header of a JPEG file's frame, baseline and progressive."""


def mended(data: bytes) -> bytes:
    """Return a damaged PNG file with the right checksums, so that damage gets past them."""
    out, position = bytearray(data[:8]), 8
    while position + 12 <= len(data):
        length = min(struct.unpack_from(">I", data, position)[0], len(data) - position - 12)
        body = data[position + 4 : position + 8 + length]
        out += struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))
        position += 12 + length
    return bytes(out)


def lying(data: bytes, draw: random.Random) -> bytes:
    """Return a PNG or JPEG file whose header tells another size or kind of picture; others stay as they are.

    Args:
        data: The file.
        draw: Source of chance.
    """
    told = bytearray(data)
    if data.startswith(b"\x89PNG") and len(data) > 26:
        at = draw.choice((16, 20))
        if draw.random() < 0.3:
            told[draw.choice((24, 25, 26))] = draw.randrange(17)  # bits, colours, compression
        else:
            told[at : at + 4] = draw.choice((0, 1, 499, 65_500, MAX_SIDE)).to_bytes(4, "big")
        return mended(bytes(told))
    start = next((at for at in range(2, len(data) - 9) if data[at : at + 2] in FRAMES), None)
    if data.startswith(b"\xff\xd8") and start is not None:
        at = start + draw.choice((5, 7))
        told[at : at + 2] = draw.choice((0, 1, 499, 65_500)).to_bytes(2, "big")
    return bytes(told)
