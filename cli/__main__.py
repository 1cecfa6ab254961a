"""`product-image`: cut out, generate, process a catalogue, check ads, search the history, serve, and find faults.

Exit codes: 0 everything worked; 1 something failed; 2 the command is wrong; 3 there is no gateway and none could be
started.
"""

from typing import Annotated

import typer

from cli import batch, certificate, check, cutout, doctor, edit, generate, history, replay, serve, weights
from cli.output import options

COMMANDS = (cutout, generate, edit, batch, check, history, replay, serve, doctor, weights, certificate)

app = typer.Typer(name="product-image", no_args_is_help=True, help=__doc__, rich_markup_mode=None)
for command in COMMANDS:
    command.register(app)


@app.callback()
def common(
    gateway: Annotated[
        str,
        typer.Option(
            envvar="PRODUCT_IMAGE_GATEWAY",
            help="Address of the gateway. Without it: the one on this machine, or one that is started temporarily.",
        ),
    ] = "",
    key: Annotated[str, typer.Option(envvar="PRODUCT_IMAGE_KEY", help="API key, if the gateway requires one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Write the result to standard output as JSON.")] = False,
) -> None:
    """Read the options of every command."""
    options.gateway, options.key, options.json = gateway.rstrip("/"), key, json


def main() -> None:
    """Run the command line."""
    app(prog_name="product-image")


if __name__ == "__main__":
    main()
