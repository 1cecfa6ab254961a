"""`python -m deploy.local run | demo`."""

import asyncio
import signal
import sys

import httpx
import typer

from deploy.local.demo import demo
from deploy.local.supervisor import LocalError, Ports, running

app = typer.Typer(add_completion=False, help="All five processes on this machine.")


@app.command("run")
def run_command() -> None:
    """Serve until Ctrl-C; ends with status 1 when a process ends by itself."""
    try:
        ended = asyncio.run(_run())
    except LocalError as error:
        ended = str(error)
    if ended:
        typer.echo(f"stopped: {ended}", err=True)
        sys.exit(1)


@app.command("demo")
def demo_command() -> None:
    """Turn the sample photo into ads in out/."""
    # A demo that is told to end stops what it started, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        asyncio.run(demo(typer.echo))
    except (LocalError, httpx.HTTPError) as error:
        typer.echo(f"the demo failed: {error} (log: out/demo.log)", err=True)
        sys.exit(1)


async def _run() -> str | None:
    """Serve; give the line that says why it ended, or None when it was asked to."""
    ports = Ports.of_settings()
    ports.check_free()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    serving = asyncio.create_task(_serve(ports))
    await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        return serving.result()
    typer.echo("stopping ...")
    serving.cancel()
    await asyncio.wait({serving})
    return None


async def _serve(ports: Ports) -> str:
    async with running(ports, {}, typer.echo) as processes:
        typer.echo(f"\nready: {processes.url} (API: {processes.url}/docs) - Ctrl-C stops everything\n")
        return await processes.until_one_ends()


if __name__ == "__main__":
    app()
