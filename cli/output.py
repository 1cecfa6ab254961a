"""Output of every command: its options, its results, its errors and its exit codes."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.client import Client, GatewayError
from cli.connect import gateway
from cli.ports import LocalError

FAILED, NO_GATEWAY = 1, 3
T = TypeVar("T")

screen = Console(stderr=True)


@dataclass
class Options:
    """Options of every command."""

    gateway: str = ""
    key: str = ""
    json: bool = False


options = Options()


def run(work: Callable[[Client], Awaitable[T]]) -> T:
    """Run some work with a gateway; an error ends the command with one line."""

    async def with_gateway() -> T:
        async with gateway(options.gateway, options.key, lambda line: screen.print(line, markup=False)) as client:
            return await work(client)

    try:
        return asyncio.run(with_gateway())
    except GatewayError as error:
        fail(str(error), FAILED if error.status else NO_GATEWAY)
    except LocalError as error:
        fail(f"The system could not be started: {error}", NO_GATEWAY)
    except OSError as error:
        fail(f"{error.filename} cannot be used: {error.strerror}.", FAILED)


def fail(text: str, code: int) -> NoReturn:
    """End the command with a text and an exit code."""
    if options.json:
        sys.stdout.write(json.dumps({"error": text}, ensure_ascii=False) + "\n")
    else:
        screen.print(text, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def show(result: Any, lines: list[str]) -> None:
    """Write the result to standard output: as JSON with --json, otherwise the lines."""
    text = json.dumps(result, ensure_ascii=False, indent=2) if options.json else "\n".join(lines)
    sys.stdout.write(text + "\n")


def exit_if_failed(failed: bool) -> None:
    """End the command with exit code 1 if something failed."""
    if failed:
        raise typer.Exit(FAILED)


def progress_bar(*columns: Any) -> Progress:
    """Return a progress bar on standard error."""
    shown = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), *columns, TimeElapsedColumn())
    return Progress(*shown, console=screen)
