"""Batch runs over a catalogue with one product per line, in parallel; finished products are skipped.

out/report.csv                    one line per product: its outcome, and why
out/{line}-{name}/                its ads, copy and record

A line is read, worked on, reported and forgotten before others are read: catalogues may be of any length.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from cli.client import OPTIONS, Body, Brief, Client, GatewayError, with_patience
from cli.files import RECORD, save
from cli.report import DONE, FAILED, Outcome, Report
from common.tables import MissingColumnError, Row, TableError, read_table

REQUIRED = ("photo", "name")
OPTIONAL = ("describe", "audience", "sizes", "locale", "background", *OPTIONS)
GONE = 404


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
class Part:
    """Which lines of a catalogue are worked on, so that several processes share it.

    Attributes:
        number: Which part, from 1.
        of: Number of parts.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Parse a share such as "3/10".

        Raises:
            ValueError: It is not.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
        part = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= part.number <= part.of:
            raise ValueError("write the part as 3/10, from 1/10 to 10/10")
        return part


class Catalogue:
    """A catalogue: CSV with the columns `photo` and `name`, and any of the optional ones.

    Paths of photos and backgrounds are relative to its folder.

    Args:
        file: The file.
        part: Which of its lines.

    Raises:
        CatalogueError: It cannot be read, or a required column is missing.
    """

    def __init__(self, file: Path, part: Part | None = None) -> None:
        self._beside = file.parent
        self._part = part or Part()
        try:
            self._data = file.read_bytes()
            self._length = sum(1 for _ in self._rows())
        except OSError as error:
            raise CatalogueError(f"{file} cannot be read: {error.strerror}.") from None
        except MissingColumnError as error:
            columns = f"{', '.join(REQUIRED)}; and if you like {', '.join(OPTIONAL)}"
            raise CatalogueError(f"{file} has no column {' and '.join(error.missing)}: it needs {columns}.") from None
        except TableError as error:
            raise CatalogueError(f"{file}: {error}") from None

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Product]:
        return (_product(row, self._beside) for row in self._rows())

    def _rows(self) -> Iterator[Row]:
        return islice(read_table(self._data, REQUIRED), self._part.number - 1, None, self._part.of)


def _product(row: Row, beside: Path) -> Product:
    given = {name: row.cells.get(name, "") for name in (*REQUIRED, *OPTIONAL)}
    photo, background = given.pop("photo"), given.pop("background")
    brief = Brief(**given, background=beside / background if background else None)
    return Product(row.line, beside / photo, brief)


@dataclass
class Tally:
    """How many products are done, and how many have failed."""

    done: int = 0
    failed: int = 0


async def run_batch(
    catalogue: Iterable[Product], client: Client, folder: Path, parallel: int, tell: Callable[[Outcome], None]
) -> Tally:
    """Make the ads of a catalogue.

    Args:
        catalogue: The products.
        client: Client of the gateway. What it is too busy for, or away for, is asked again.
        folder: Folder for the results and the report, which gains a line with every product.
        parallel: Maximum number of products processed at a time.
        tell: Called for each product that is done or has failed, including those done by an earlier run.
    """
    tally, products = Tally(), iter(catalogue)

    async def work(report: Report) -> None:
        for product in products:  # each worker takes the next
            outcome = await _worked_on(product, report, client, folder)
            report.add(outcome)
            tally.done += outcome.status == DONE
            tally.failed += outcome.status != DONE
            tell(outcome)

    with Report(folder) as report:
        async with asyncio.TaskGroup() as group:
            for _ in range(parallel):
                group.create_task(work(report))
    return tally


async def _worked_on(product: Product, report: Report, client: Client, folder: Path) -> Outcome:
    failed = Outcome(str(product.line), str(product.photo), product.brief.name, FAILED)
    if not product.brief.name:
        return replace(failed, error="The product has no name: fill in the column name.")
    try:
        fingerprint = await asyncio.to_thread(product.fingerprint)
        outcome = replace(failed, fingerprint=fingerprint)
        known = report.folder_of(fingerprint)
        if not (known and (folder / known / RECORD).is_file()):
            known = product.folder
            await _make(product, fingerprint, client, folder / known)
    except OSError as error:
        return replace(failed, error=f"{error.filename}: {error.strerror}.")
    except GatewayError as error:
        return replace(outcome, error=str(error))
    return replace(outcome, status=DONE, folder=known)


async def _make(product: Product, fingerprint: str, client: Client, folder: Path) -> None:
    # With these keys, a run after an interruption gets the results already requested instead of new ones.
    try:
        record = await _generated(product, client, f"batch-{fingerprint}")
    except GatewayError as error:
        if error.status != GONE:
            raise
        record = await _generated(product, client, "")  # the upload of that run has been swept since
    async for attempt in with_patience():
        with attempt:
            await save(record, client, folder)


async def _generated(product: Product, client: Client, key: str) -> Body:
    async for attempt in with_patience():
        with attempt:
            upload = await client.upload(product.photo, key and f"{key}-upload")
    async for attempt in with_patience():
        with attempt:
            record = await client.generate(upload, product.brief, lambda _: None, key and f"{key}-ads")
    return record
