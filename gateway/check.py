"""`python -m gateway.check`: whether the gateway's shared counters respond, if it has some."""

import asyncio
from collections.abc import Iterator

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from common.findings import Finding, print_findings
from common.settings import read_settings
from gateway.settings import GatewaySettings

SUBJECT = "shared counters"
SECONDS = 5.0


def findings(settings: GatewaySettings) -> Iterator[Finding]:
    """Check the shared counters. No finding contains their URL, which may hold a password."""
    url = settings.counters_url.get_secret_value()
    if not url:
        yield Finding(SUBJECT, ok=True, detail="not used: each gateway counts alone")
        return
    try:
        asyncio.run(_ping(url))
    except (ValkeyError, OSError, TimeoutError) as error:
        detail = f"they do not respond ({type(error).__name__}): each gateway counts alone"
        yield Finding(SUBJECT, ok=False, detail=detail, fix="start Valkey, or correct GATEWAY_COUNTERS_URL")
    else:
        yield Finding(SUBJECT, ok=True, detail="respond")


async def _ping(url: str) -> None:
    valkey = Valkey.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        await valkey.ping()
    finally:
        await valkey.aclose()


if __name__ == "__main__":
    print_findings(findings(read_settings(GatewaySettings)))
