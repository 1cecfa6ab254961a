"""`product-image replay`: whether what a record says of its making is true."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import exit_if_failed, options, run, show


def replay(number: Annotated[int, typer.Argument(min=0, help="Number of the record.")]) -> None:
    """Make a record again and compare it, stage by stage; nothing is stored, and no cloud is asked.

    The exit code is 1 if something differs.
    """
    made = run(lambda client: client.replay(number))
    if options.json:
        show(made, [])
    else:
        table = Table("stage", "engine", "result", "detail")
        for stage in made["stages"]:
            table.add_row(*(stage[column] for column in ("stage", "engine", "state", "detail")))
        Console().print(table)
    exit_if_failed(not made["same"])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)
