"""`product-image history`: search what was made, save one record as a file, or delete it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import options, run, show


def history(
    query: Annotated[str, typer.Argument(help="Text in names or copy; without it, every record.")] = "",
    audience: Annotated[str, typer.Option(help="Text in the audience.")] = "",
    brand: Annotated[str, typer.Option(help="Name of the brand.")] = "",
    since: Annotated[str, typer.Option(help="First day, YYYYMMDD.")] = "",
    until: Annotated[str, typer.Option(help="Last day, YYYYMMDD.")] = "",
    most: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of records, newest first.")] = 20,
    archive: Annotated[int | None, typer.Option(help="Save the record with this number as a zip file.")] = None,
    delete: Annotated[int | None, typer.Option(help="Delete the record with this number, and its ads.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path(),
) -> None:
    """Search what was made, newest first; or save one record as a zip file, or delete it."""
    if delete is not None:
        if not yes:
            typer.confirm(f"Delete record {delete} and its ads for good?", abort=True)
        run(lambda client: client.delete(delete))
        show({"deleted": delete}, [f"record {delete} is deleted"])
        return
    if archive is not None:
        target = out / f"ads-{archive}.zip"
        packed = run(lambda client: client.archive(archive))
        out.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed)
        show({"archive": str(target)}, [str(target)])
        return
    conditions = {"audience": audience, "brand": brand, "since": since, "until": until}
    records = run(lambda client: client.records(query, most, **conditions))
    if options.json:
        show(records, [])
        return
    table = Table("number", "made", "product", "audience", "short text")
    for record in records:
        cells = (record["write_date"], record["product_name"], record["target_audience"], record["short_ad"])
        table.add_row(str(record["sequence"]), *cells)
    Console().print(table)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)
