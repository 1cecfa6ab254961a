"""Reading TensorFlow checkpoints (`.index` and `.data-00000-of-00001`) without TensorFlow.

The index is a sorted table in LevelDB's format (its doc/table_format.md): blocks of entries, and a block of where the
blocks are. Its values are messages of TensorFlow's tensor_bundle.proto: the empty key has the header, every other the
place of a tensor in the data file. Both files carry checksums, and all are checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
from numpy.typing import NDArray

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
"""After each block: its compression (one byte) and its checksum (four)."""
UNCOMPRESSED = 0
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}
"""The numbers of types.proto."""


@dataclass(frozen=True)
class _Entry:
    """Where a tensor is: BundleEntryProto."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int
    checksum: int


def read_bundle(index: Path) -> dict[str, NDArray[np.generic]]:
    """Read all tensors of a checkpoint.

    Args:
        index: The `.index` file; the data file is beside it.

    Raises:
        ValueError: One of the files is damaged, cut short or of a form that TensorFlow does not write by itself.
        OSError: One of the files is not there.
    """
    data = index.with_suffix(".data-00000-of-00001").read_bytes()
    entries = dict(_table(index.read_bytes()))
    header = dict(_fields(entries.pop(b"", b"")))
    if header.get(1) != 1:
        raise ValueError("it has its tensors in several data files, or has no header: expected one data file")
    return {key.decode(): _tensor(_entry(value), data) for key, value in entries.items()}


def _tensor(entry: _Entry, data: bytes) -> NDArray[np.generic]:
    values = data[entry.offset : entry.offset + entry.size]
    if len(values) != entry.size or _checksum(values) != entry.checksum:
        raise ValueError("its data file is damaged or cut short")
    return np.frombuffer(values, entry.dtype).reshape(entry.shape)


def _entry(message: bytes) -> _Entry:
    fields = dict(_fields(message))
    dtype = DTYPES.get(int(fields[1]))
    if dtype is None or 7 in fields:
        raise ValueError(
            f"it holds a tensor of type {fields[1]!r}, or one in slices: expected whole tensors of numbers"
        )
    shape = tuple(int(dict(_fields(bytes(dim))).get(1, 0)) for field, dim in _fields(bytes(fields[2])) if field == 2)
    return _Entry(dtype, shape, int(fields.get(4, 0)), int(fields.get(5, 0)), int(fields[6]))


def _table(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a table."""
    if len(file) < FOOTER or int.from_bytes(file[-8:], "little") != MAGIC:
        raise ValueError("its index is no table, or is cut short")
    footer = file[-FOOTER:]
    _, where = _handle(footer, 0)  # of the metaindex, which TensorFlow leaves empty
    blocks, _ = _handle(footer, where)
    for _, handle in _block(file, blocks):
        yield from _block(file, _handle(handle, 0)[0])


def _handle(data: bytes, at: int) -> tuple[slice, int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return slice(offset, offset + size), at


def _block(file: bytes, where: slice) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries of a block. Keys omit the prefix that they share with the previous key."""
    block, trailer = file[where], file[where.stop : where.stop + TRAILER]
    if len(trailer) != TRAILER or _checksum(block + trailer[:1]) != int.from_bytes(trailer[1:], "little"):
        raise ValueError("its index is damaged")
    if trailer[0] != UNCOMPRESSED:
        raise ValueError("its index is compressed: expected one as TensorFlow writes it")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    key, at = b"", 0
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        size, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a Protocol Buffers message ("Encoding"): integers, or bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        field, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield field, value
        elif kind == 5:
            yield field, int.from_bytes(message[at : at + 4], "little")
            at += 4
        elif kind == 2:
            size, at = _varint(message, at)
            yield field, message[at : at + size]
            at += size
        else:
            raise ValueError("its index holds messages of another kind")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a base-128 number and the position after it."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("its index is cut short")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _checksum(data: bytes) -> int:
    """CRC-32C, masked as LevelDB does."""
    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
