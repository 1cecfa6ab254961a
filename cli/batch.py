"""`product-image batch`: make the ads of a catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn

from cli.catalogue import Catalogue, CatalogueError, Part, Tally, run_batch
from cli.client import Body, Client
from cli.output import exit_if_failed, options, progress_bar, run, screen, show
from cli.report import FAILED, REPORT, Outcome, read_report

TOLD = 20
"""Failures that are printed; the report lists all."""


def batch(
    catalogue: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: photo, name, describe, ...")],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path("ads"),
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Products processed at a time.")] = 4,
    part: Annotated[str, typer.Option(help="Which part of the lines, such as 3/10, to share them out.")] = "1/1",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it will cost, and make nothing.")] = False,
) -> None:
    """Make the ads of a catalogue, one product per line; run again, it makes only what is missing.

    Columns: photo and name; optionally describe, audience, sizes, locale, background, texts, headline,
    call_to_action, price, legal, layout, brand, format, scene, avoid and style. report.csv lists the outcome of
    each line.
    """
    try:
        products = Catalogue(catalogue, Part.parse(part))
    except (CatalogueError, ValueError) as error:
        screen.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None

    if dry_run:
        _tell_costs(products)
        return
    failed: list[Outcome] = []

    async def work(client: Client) -> Tally:
        await client.records("", 1)  # a wrong address or key ends the run before it begins
        with progress_bar(MofNCompleteColumn()) as progress:
            bar = progress.add_task("products", total=len(products))

            def tell(outcome: Outcome) -> None:
                progress.advance(bar)
                if outcome.status == FAILED and len(failed) < TOLD:
                    failed.append(outcome)

            return await run_batch(products, client, out, parallel, tell)

    tally = run(work)
    lines = [f"line {one.line}, {one.name}: {one.error}" for one in sorted(failed, key=lambda one: int(one.line))]
    more = [f"and {tally.failed - len(failed)} more"] if tally.failed > len(failed) else []
    result = [asdict(outcome) for outcome in read_report(out)] if options.json else []
    show(result, [*lines, *more, f"{tally.done} of {tally.done + tally.failed} done: {out / REPORT}"])
    exit_if_failed(bool(tally.failed))


def _tell_costs(products: Catalogue) -> None:
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
