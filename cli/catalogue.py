"""Batch runs over a catalogue with one product per line, in parallel; finished products are skipped.

out/report.csv                    one line per product: its outcome, and why
out/{line}-{name}/                its ads, copy and record
"""

import asyncio
import csv
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from cli.client import OPTIONS, Body, Brief, Client, GatewayError, with_retries
from cli.files import RECORD, save
from common.tables import MissingColumnError, Row, TableError, read_table

REQUIRED = ("photo", "name")
OPTIONAL = ("describe", "audience", "sizes", "locale", "background", *OPTIONS)
REPORT = "report.csv"
OPEN, DONE, FAILED = "open", "done", "failed"
GONE = 404
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets would run."""


class CatalogueError(Exception):
    """The catalogue cannot be read. The text says why and what to do."""


@dataclass(frozen=True)
class Product:
    """A line of the catalogue.

    Attributes:
        line: Line number in the file; the header is line 1.
        photo: Path of the photo.
        brief: Ads to make.
    """

    line: int
    photo: Path
    brief: Brief

    @property
    def folder(self) -> str:
        """Name of the folder for its results."""
        name = re.sub(r"[^\w-]+", "-", self.brief.name)[:40].strip("-")
        return f"{self.line:04d}-{name or 'product'}"

    def fingerprint(self) -> str:
        """Return a digest of all inputs. A product that was made with the same digest is skipped.

        Raises:
            OSError: A picture cannot be read.
        """
        brief, background = self.brief, self.brief.background
        digest = hashlib.sha256()
        options = [f"{name}={text}" for name, text in brief.options.items()]  # none in catalogues of release 0.2
        parts = (brief.name, brief.describe, brief.audience, brief.sizes, brief.locale, *options)
        files = [self.photo.read_bytes(), background.read_bytes() if background else b""]
        for part in (*(part.encode() for part in parts), *files):
            digest.update(len(part).to_bytes(8) + part)
        return digest.hexdigest()


@dataclass(frozen=True)
class Outcome:
    """A line of the report. Its status is done, failed or open; it stays open if the run is interrupted."""

    line: str
    photo: str
    name: str
    status: str
    folder: str = ""
    error: str = ""
    fingerprint: str = ""


def read_catalogue(file: Path) -> list[Product]:
    """Read a catalogue: CSV with the columns `photo` and `name`, and any of the optional ones.

    Paths of photos and backgrounds are relative to its folder.

    Raises:
        CatalogueError: It cannot be read, or a required column is missing.
    """
    try:
        rows = list(read_table(file.read_bytes(), REQUIRED))
    except OSError as error:
        raise CatalogueError(f"{file} cannot be read: {error.strerror}.") from None
    except MissingColumnError as error:
        columns = f"{', '.join(REQUIRED)}; and if you like {', '.join(OPTIONAL)}"
        raise CatalogueError(f"{file} has no column {' and '.join(error.missing)}: it needs {columns}.") from None
    except TableError as error:
        raise CatalogueError(f"{file}: {error}") from None
    return [_product(row, file.parent) for row in rows]


def _product(row: Row, beside: Path) -> Product:
    given = {name: row.cells.get(name, "") for name in (*REQUIRED, *OPTIONAL)}
    photo, background = given.pop("photo"), given.pop("background")
    brief = Brief(**given, background=beside / background if background else None)
    return Product(row.line, beside / photo, brief)


def read_report(folder: Path) -> dict[str, Outcome]:
    """Return the outcomes of an earlier run, by fingerprint."""
    file = folder / REPORT
    if not file.exists():
        return {}
    with file.open(encoding="utf-8-sig", newline="") as stream:
        names = [field.name for field in fields(Outcome)]
        outcomes = [
            Outcome(**{name: (row.get(name) or "").removeprefix("'") for name in names})
            for row in csv.DictReader(stream)
        ]
    return {outcome.fingerprint: outcome for outcome in outcomes if outcome.fingerprint}


def write_report(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the report atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{REPORT}.part"
    with partial.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([field.name for field in fields(Outcome)])
        writer.writerows(map(_as_text, vars(outcome).values()) for outcome in outcomes)
    partial.replace(folder / REPORT)


def _as_text(cell: str) -> str:
    """Mark a cell that spreadsheets would take for a formula as text."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


async def run_batch(
    products: list[Product], client: Client, folder: Path, parallel: int, done: Callable[[Outcome], None]
) -> list[Outcome]:
    """Make the ads of a catalogue.

    Args:
        products: The catalogue.
        client: Client of the gateway. Requests it is too busy for are retried after the time it names.
        folder: Folder for the results and the report, which is updated after every product.
        parallel: Maximum number of products processed at a time.
        done: Called for each product that is done or has failed, including those done by an earlier run.

    Returns:
        One outcome per product, in their order.
    """
    before = read_report(folder)
    outcomes = {product: _so_far(product, folder, before) for product in products}
    for outcome in outcomes.values():
        if outcome.status != OPEN:
            done(outcome)
    write_report(folder, outcomes.values())
    places = asyncio.Semaphore(parallel)

    async def work(product: Product) -> None:
        async with places:
            outcomes[product] = await _worked_on(product, outcomes[product], client, folder)
        write_report(folder, outcomes.values())
        done(outcomes[product])

    async with asyncio.TaskGroup() as group:
        for product, outcome in outcomes.items():
            if outcome.status == OPEN:
                group.create_task(work(product))
    return list(outcomes.values())


def _so_far(product: Product, folder: Path, before: dict[str, Outcome]) -> Outcome:
    """Return the outcome before the run: done by an earlier run, failed because inputs are missing, or open."""
    outcome = Outcome(str(product.line), str(product.photo), product.brief.name, OPEN)
    if not product.brief.name:
        return replace(outcome, status=FAILED, error="The product has no name: fill in the column name.")
    try:
        outcome = replace(outcome, fingerprint=product.fingerprint())
    except OSError as error:
        return _failed(outcome, error)
    known = before.get(outcome.fingerprint)
    if known and known.status == DONE and (folder / known.folder / RECORD).is_file():
        return replace(outcome, status=DONE, folder=known.folder)
    return outcome


async def _worked_on(product: Product, outcome: Outcome, client: Client, folder: Path) -> Outcome:
    try:
        await _make(product, outcome.fingerprint, client, folder / product.folder)
    except (GatewayError, OSError) as error:
        return _failed(outcome, error)
    return replace(outcome, status=DONE, folder=product.folder)


def _failed(outcome: Outcome, error: GatewayError | OSError) -> Outcome:
    text = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) else str(error)
    return replace(outcome, status=FAILED, error=text)


async def _make(product: Product, fingerprint: str, client: Client, folder: Path) -> None:
    # With these keys, a run after an interruption gets the results already requested instead of new ones.
    try:
        record = await _generated(product, client, f"batch-{fingerprint}")
    except GatewayError as error:
        if error.status != GONE:
            raise
        record = await _generated(product, client, "")  # the upload of that run has been swept since
    await save(record, client, folder)


async def _generated(product: Product, client: Client, key: str) -> Body:
    async for attempt in with_retries():
        with attempt:
            upload = await client.upload(product.photo, key and f"{key}-upload")
    async for attempt in with_retries():
        with attempt:
            record = await client.generate(upload, product.brief, lambda _: None, key and f"{key}-ads")
    return record
