"""`python -m deploy.local run | demo`."""

import asyncio
import signal
import sys

import httpx
import typer

from deploy.local.demo import demo
from deploy.local.supervisor import LocalError, Ports, running

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

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
    try:
        asyncio.run(_demo())
    except asyncio.CancelledError:
        typer.echo("the demo was stopped", err=True)
        sys.exit(1)
    except (LocalError, httpx.HTTPError) as error:
        typer.echo(f"the demo failed: {error} (log: out/demo.log)", err=True)
        sys.exit(1)


async def _demo() -> None:
    """Run the demo; told to end, it stops what it started first."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine runs in a task
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await demo(typer.echo)


async def _run() -> str | None:
    """Serve; give the line that says why it ended, or None when it was asked to."""
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


if __name__ == "__main__":
    app()
