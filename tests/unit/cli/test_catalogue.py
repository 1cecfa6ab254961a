import csv
from dataclasses import replace
from pathlib import Path

import pytest

from cli.catalogue import DONE, CatalogueError, Outcome, read_catalogue, read_report, write_report

OUTCOME = Outcome("2", "photo.jpg", "Flask", DONE, "0002-Flask", "", "fingerprint")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_report_is_a_formula(tmp_path: Path, start: str) -> None:
    formula = f'{start}HYPERLINK("http://127.0.0.1/","open")'
    outcomes = [
        replace(OUTCOME, name=formula, photo=formula, error=formula, fingerprint="a"),
        replace(OUTCOME, fingerprint="b"),
    ]
    write_report(tmp_path, outcomes)
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as report:
        rows = list(csv.reader(report))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows[1][2] == f"'{formula}"
    assert read_report(tmp_path) == {outcome.fingerprint: outcome for outcome in outcomes}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"photo;price\nx;1\n", "no column name: it needs photo, name; and if you like describe"),
        (b"", "empty"),
        (b'photo,name\n"x,1\n', "cannot be read"),
    ],
)
def test_what_a_catalogue_lacks_is_said(tmp_path: Path, data: bytes, text: str) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_bytes(data)
    with pytest.raises(CatalogueError, match=text):
        read_catalogue(file)


def test_lines_are_numbered_as_in_the_file_and_files_lie_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_bytes("sep=;\nPhoto;Name;Audience\na.jpg;瓶;女性\n\nb.jpg;杯;\n".encode("utf-16"))
    first, second = read_catalogue(file)
    assert (first.line, first.photo, first.brief.name, first.brief.audience) == (3, tmp_path / "a.jpg", "瓶", "女性")
    assert (second.line, second.brief.audience) == (5, "")
