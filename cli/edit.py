"""`product-image edit`: make a variant of a record, with the product moved or other words; no new background."""

from pathlib import Path
from typing import Annotated

import typer

from cli.client import Body, Client
from cli.files import save
from cli.output import run, show


def edit(
    number: Annotated[int, typer.Argument(min=0, help="Number of the record, as `history` lists it.")],
    size: Annotated[str, typer.Option(help="The ad in which the product is moved, such as 300x250.")] = "",
    right: Annotated[float, typer.Option(min=-1, max=1, help="To the right, as a fraction of the ad.")] = 0,
    down: Annotated[float, typer.Option(min=-1, max=1, help="Down, as a fraction of the ad.")] = 0,
    scale: Annotated[float, typer.Option(min=0.25, max=4, help="Factor of the product's size.")] = 1,
    headline: Annotated[str | None, typer.Option(help="Headline on the ads; empty takes it away.")] = None,
    call_to_action: Annotated[str | None, typer.Option(help="Button on the ads.")] = None,
    price: Annotated[str | None, typer.Option(help="Price or badge on the ads.")] = None,
    layout: Annotated[str | None, typer.Option(help="Where words stand: auto, left, right, top, bottom, none.")] = None,
    logo: Annotated[bool | None, typer.Option(help="Whether the brand's logo is shown.")] = None,
    shadow: Annotated[
        float | None, typer.Option(min=0, max=1, help="Darkness of the shadow on a picture; how much of it in a set.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path("ads"),
) -> None:
    """Make a variant of a record: the product moved in one ad, or other words on all."""
    if not size and (right, down, scale) != (0, 0, 1):
        raise typer.BadParameter("say in which ad, such as 300x250", param_hint="--size")
    moves = [{"size": size, "right": right, "down": down, "scale": scale}] if size else []
    words = {"headline": headline, "call_to_action": call_to_action, "price": price}
    wanted = {**words, "layout": layout, "logo": logo, "shadow": shadow}
    change = {"sequence": number, "moves": moves, **{name: one for name, one in wanted.items() if one is not None}}

    async def work(client: Client) -> Body:
        record = await client.compose(change)
        files = await save(record, client, out)
        return {"record": record, "files": [str(file) for file in files]}

    made = run(work)
    show(made, [f"record {made['record']['sequence']}, a variant of {number}", *made["files"]])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(edit)
