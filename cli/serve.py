"""`product-image serve` and `demo`: all five processes on this machine."""

import asyncio
import signal
import sys

import httpx
import typer

from cli.demo import LOG
from cli.demo import demo as run_demo
from cli.ports import LocalError, Ports
from cli.supervisor import running

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve() -> None:
    """Serve everything on this machine until Ctrl-C; exits with status 1 if a process ends by itself."""
    try:
        ended = asyncio.run(_serve_until_stopped())
    except LocalError as error:
        ended = str(error)
    if ended:
        typer.echo(f"stopped: {ended}", err=True)
        sys.exit(1)


def demo() -> None:
    """Make ads from the sample photo in out/, with all five processes started for it."""
    try:
        asyncio.run(_demo())
    except asyncio.CancelledError:
        typer.echo("the demo was stopped", err=True)
        sys.exit(1)
    except (LocalError, httpx.HTTPError) as error:
        typer.echo(f"the demo failed: {error}{f' (log: {LOG})' if LOG.is_file() else ''}", err=True)
        sys.exit(1)


async def _demo() -> None:
    """Run the demo; when it is told to stop, it stops what it started first."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine runs in a task
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await run_demo(typer.echo)


async def _serve_until_stopped() -> str | None:
    """Serve; return why it ended, or None if it was told to stop."""
    ports = Ports.of_settings()
    ports.check_free()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
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


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(demo)
