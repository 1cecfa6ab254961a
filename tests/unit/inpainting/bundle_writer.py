"""Write TensorFlow checkpoints from the format description, independently of the code that reads them."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENTRIES_PER_BLOCK = 7
RESTART_EVERY = 3


def crc32c(data: bytes) -> int:
    """Return the masked CRC-32C, computed bit by bit (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(values: NDArray[np.float32], offset: int, checksum: int) -> bytes:
    shape = b"".join(field(2, field(1, side)) for side in values.shape)
    place = field(4, offset) if offset else b""
    return (
        field(1, 1)
        + field(2, shape)
        + place
        + field(5, values.nbytes)
        + varint(6 << 3 | 5)
        + struct.pack("<I", checksum)
    )


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    out, restarts, before = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        if number % RESTART_EVERY == 0:
            restarts.append(len(out))
            before = b""
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(len(before), len(key))
        )
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return bytes(out) + b"".join(struct.pack("<I", at) for at in [*restarts, len(restarts)])


def write_bundle(index: Path, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Write an index and its data file. Checksums of tensors come from google_crc32c, as ours are slow."""
    from google_crc32c import value as fast

    data, entries = bytearray(), [(b"", field(1, 1) + field(3, field(1, 1)))]
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], np.float32)
        crc = fast(values.tobytes())
        entries.append((name.encode(), entry(values, len(data), ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)))
        data += values.tobytes()
    index.with_suffix(".data-00000-of-00001").write_bytes(data)

    file, handles = bytearray(), []

    def append(content: bytes) -> bytes:
        handle = varint(len(file)) + varint(len(content))
        file.extend(content + b"\0" + struct.pack("<I", crc32c(content + b"\0")))
        return handle

    for start in range(0, len(entries), ENTRIES_PER_BLOCK):
        some = entries[start : start + ENTRIES_PER_BLOCK]
        handles.append((some[-1][0] + b"~", append(block(some))))
    footer = append(block([])) + append(block(handles))
    index.write_bytes(bytes(file) + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))
