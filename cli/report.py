"""The report of a batch: one line per product that is done or has failed, on disk as soon as it is known."""

import csv
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

REPORT = "report.csv"
DONE, FAILED = "done", "failed"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets would run."""
MARK = b"\xef\xbb\xbf"
"""Tells spreadsheets that it is UTF-8."""


@dataclass(frozen=True)
class Outcome:
    """A line of the report. Its status is done or failed; release 0.2 also wrote open ones."""

    line: str
    photo: str
    name: str
    status: str
    folder: str = ""
    error: str = ""
    fingerprint: str = ""


NAMES = tuple(field.name for field in fields(Outcome))


def read_report(folder: Path) -> Iterator[Outcome]:
    """Yield the lines of the report in a folder, if there is one. Of an interrupted run, a line may come twice."""
    file = folder / REPORT
    if not file.exists():
        return
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            yield Outcome(**{name: (row.get(name) or "").removeprefix("'") for name in NAMES})


class Report:
    """Adds to the report in a folder. Lines of earlier runs stay until this one has ended, without an exception.

    Args:
        folder: The folder; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / REPORT
        self._folders = {one.fingerprint: one.folder for one in read_report(folder) if one.status == DONE}
        self._places: dict[int, tuple[int, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._stream = self._file.open("ab")
        if not self._stream.tell():
            self._stream.write(MARK + _row(NAMES))

    def folder_of(self, fingerprint: str) -> str:
        """Return the folder of a product that was done in an earlier run; empty if there is none."""
        return self._folders.get(fingerprint, "")

    def add(self, outcome: Outcome) -> None:
        """Add a line."""
        row = _row(astuple(outcome))
        self._places[int(outcome.line)] = (self._stream.tell(), len(row))
        self._stream.write(row)
        self._stream.flush()

    def __enter__(self) -> "Report":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is None:
            self._sort()

    def _sort(self) -> None:
        """Leave the lines of this run, in the order of the catalogue."""
        sorted_file = self._file.with_suffix(".part")
        with self._file.open("rb") as before, sorted_file.open("wb") as after:
            after.write(MARK + _row(NAMES))
            for _, (start, length) in sorted(self._places.items()):
                before.seek(start)
                after.write(before.read(length))
        sorted_file.replace(self._file)


def _row(cells: tuple[str, ...]) -> bytes:
    """Return a line; cells that spreadsheets would take for formulas are marked as texts."""
    text = io.StringIO()
    csv.writer(text).writerow(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return text.getvalue().encode()
