"""`product-image batch`: make the ads of a catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn

from cli.catalogue import CatalogueError, Outcome, Product, read_catalogue, run_batch
from cli.client import Body, Client
from cli.output import exit_if_failed, progress_bar, run, screen, show


def batch(
    catalogue: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: photo, name, describe, ...")],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path("ads"),
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Products processed at a time.")] = 4,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it will cost, and make nothing.")] = False,
) -> None:
    """Make the ads of a catalogue, one product per line; run again, it makes only what is missing.

    Columns: photo and name; optionally describe, audience, sizes, locale, background, texts, headline,
    call_to_action, price, legal, layout, brand, format, scene, avoid and style. report.csv lists the outcome of
    each line.
    """
    try:
        products = read_catalogue(catalogue)
    except CatalogueError as error:
        screen.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None

    if dry_run:
        _tell_costs(products)
        return

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


def _tell_costs(products: list[Product]) -> None:
    async def work(client: Client) -> list[Body]:
        return [await client.estimate(product.brief) for product in products]

    estimates = run(work)
    least, most = (sum(one[name] for one in estimates) for name in ("least", "most"))
    engines = sorted({engine for one in estimates for engine in (one["background_engine"], one["copy_engine"])})
    read = max((one["prices_read"] for one in estimates), default="")
    line = f"{len(products)} products cost ${least:.2f} to ${most:.2f} with {', '.join(engines)}; prices of {read}"
    show({"products": len(products), "least": round(least, 4), "most": round(most, 4), "engines": engines}, [line])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(batch)
