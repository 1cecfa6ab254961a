"""In-process load generator: GET requests over a few keep-alive connections, for benches that compare two servers."""

import asyncio
import time
from urllib.parse import urlsplit


async def requests_per_second(url: str, path: str, seconds: float, connections: int = 8) -> float:
    """Request one path as fast as responses arrive; return the rate.

    Args:
        url: Base URL of the server.
        path: Path to request.
        seconds: Duration, in seconds.
        connections: Number of concurrent connections.

    Raises:
        ValueError: A response was not 200.
    """
    until = time.perf_counter() + seconds
    start = time.perf_counter()
    counts = await asyncio.gather(*(_ask(url, path, until) for _ in range(connections)))
    return sum(counts) / (time.perf_counter() - start)


async def _ask(url: str, path: str, until: float) -> int:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 22)
    request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
    count = 0
    while time.perf_counter() < until:
        writer.write(request)
        await _read_answer(reader)
        count += 1
    writer.close()
    await writer.wait_closed()
    return count


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise ValueError(head.decode(errors="replace"))
    _, found, length = head.partition(b"content-length: ")
    if found:
        await reader.readexactly(int(length.split(b"\r\n")[0]))
        return
    while (size := int(await reader.readuntil(b"\r\n"), 16)) > 0:  # chunked
        await reader.readexactly(size + 2)
    await reader.readexactly(2)
