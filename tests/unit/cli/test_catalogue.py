import csv
from dataclasses import replace
from pathlib import Path

import pytest

from cli.catalogue import Catalogue, CatalogueError, Part
from cli.report import DONE, FAILED, Outcome, Report, read_report

OUTCOME = Outcome("2", "photo.jpg", "Flask", DONE, "0002-Flask", "", "fingerprint")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_report_is_a_formula(tmp_path: Path, start: str) -> None:
    formula = f'{start}HYPERLINK("http://127.0.0.1/","open")'
    outcomes = [
        replace(OUTCOME, name=formula, photo=formula, error=formula, fingerprint="a"),
        replace(OUTCOME, line="3", fingerprint="b"),
    ]
    report_of(tmp_path, *outcomes)
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as report:
        rows = list(csv.reader(report))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows[1][2] == f"'{formula}"
    assert list(read_report(tmp_path)) == outcomes


def report_of(folder: Path, *outcomes: Outcome) -> None:
    with Report(folder) as report:
        for outcome in outcomes:
            report.add(outcome)


def test_a_report_is_in_the_order_of_the_catalogue_whatever_is_done_first(tmp_path: Path) -> None:
    lines = [replace(OUTCOME, line=str(line), name=f"a\n{line}", fingerprint=str(line)) for line in (9, 2, 100, 11)]
    report_of(tmp_path, *lines)
    assert [one.line for one in read_report(tmp_path)] == ["2", "9", "11", "100"]


def test_what_an_earlier_run_did_is_known_even_if_this_one_is_cut_off(tmp_path: Path) -> None:
    report_of(tmp_path, OUTCOME, replace(OUTCOME, line="3", status=FAILED, fingerprint="other"))
    cut_off = Report(tmp_path)
    cut_off.add(replace(OUTCOME, line="4", folder="0004-Flask", fingerprint="third"))
    cut_off.__exit__(KeyboardInterrupt)
    with Report(tmp_path) as again:
        known = [again.folder_of(one) for one in ("fingerprint", "other", "third", "")]
    assert known == ["0002-Flask", "", "0004-Flask", ""]


def test_the_report_of_the_previous_release_is_understood(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text(
        "line,photo,name,status,folder,error,fingerprint\n2,a.jpg,A,done,0002-A,,f1\n3,b.jpg,B,open,,,f2\n", "utf-8-sig"
    )
    with Report(tmp_path) as report:
        assert [report.folder_of(one) for one in ("f1", "f2")] == ["0002-A", ""]


def test_parts_share_out_every_line_once(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text("photo,name\n" + "".join(f"{number}.jpg,n{number}\n" for number in range(11)))
    parts = [[product.line for product in Catalogue(file, Part(number, 4))] for number in (1, 2, 3, 4)]
    assert sorted(line for lines in parts for line in lines) == [product.line for product in Catalogue(file)]
    assert [len(Catalogue(file, Part(number, 4))) for number in (1, 2, 3, 4)] == [len(lines) for lines in parts]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/2/3", "-1/2"])
def test_other_parts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="3/10"):
        Part.parse(text)
    assert Part.parse("3/10") == Part(3, 10)


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
        Catalogue(file)


def test_lines_are_numbered_as_in_the_file_and_files_lie_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_bytes("sep=;\nPhoto;Name;Audience\na.jpg;瓶;女性\n\nb.jpg;杯;\n".encode("utf-16"))
    first, second = Catalogue(file)
    assert (first.line, first.photo, first.brief.name, first.brief.audience) == (3, tmp_path / "a.jpg", "瓶", "女性")
    assert (second.line, second.brief.audience) == (5, "")
