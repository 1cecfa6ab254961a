"""`product-image weights`: the model weights, as `python -m weights`."""

import subprocess
import sys

import typer

from cli.output import FAILED, fail
from cli.ports import ROOT, LocalError
from cli.supervisor import check_installed


def weights(context: typer.Context) -> None:
    """List, fetch, verify or convert model weights; the same as `python -m weights`."""
    try:
        check_installed()
    except LocalError as error:
        fail(f"{str(error).capitalize()}.", FAILED)
    arguments = context.args or ["--help"]
    raise typer.Exit(subprocess.call([sys.executable, "-m", "weights", *arguments], cwd=ROOT))  # noqa: S603


def register(app: typer.Typer) -> None:
    """Add the command; its arguments are passed on."""
    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command(context_settings=settings)(weights)
