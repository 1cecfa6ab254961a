"""`product-image batch`: make the ads of a catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn

from cli.catalogue import CatalogueError, Outcome, read_catalogue, run_batch
from cli.client import Client
from cli.output import exit_if_failed, progress_bar, run, screen, show


def batch(
    catalogue: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: photo, name, describe, ...")],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path("ads"),
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Products processed at a time.")] = 4,
) -> None:
    """Make the ads of a catalogue, one product per line; run again, it makes only what is missing.

    Columns: photo and name; optionally describe, audience, sizes, locale, background, texts, headline,
    call_to_action, price, legal, layout, brand and format. report.csv lists the outcome
    of each line.
    """
    try:
        products = read_catalogue(catalogue)
    except CatalogueError as error:
        screen.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None

    async def work(client: Client) -> list[Outcome]:
        with progress_bar(MofNCompleteColumn()) as progress:
            bar = progress.add_task("products", total=len(products))
            return await run_batch(products, client, out, parallel, lambda _: progress.advance(bar))

    outcomes = run(work)
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    lines = [f"line {outcome.line}, {outcome.name}: {outcome.error}" for outcome in failed]
    show(
        [asdict(outcome) for outcome in outcomes],
        [*lines, f"{len(outcomes) - len(failed)} of {len(outcomes)} done: {out / 'report.csv'}"],
    )
    exit_if_failed(bool(failed))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(batch)
