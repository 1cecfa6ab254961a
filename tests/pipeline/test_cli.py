"""The command line against a real gateway and history, with engines that respond at once."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli import connect
from cli.__main__ import app
from gateway.api_keys import digest_of
from testing.pictures import SAMPLE, encoded, gradient
from testing.processes import Parts, parts
from testing.scripted_http import Reply, scripted
from testing.system import AT_HOME, FAST

KEY = "pig_secret"
AUDIENCE = "女性,25-34,戶外旅遊"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with parts(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(system: Parts, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--gateway", system.gateway.url, *arguments])


def result(system: Parts, *arguments: str, status: int = 0) -> Any:
    answer = call(system, "--json", *arguments)
    assert answer.exit_code == status, answer.output
    return json.loads(answer.stdout)


def records(system: Parts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{system.gateway.url}/api/history", trust_env=False).json()
    return found


def catalogue(folder: Path, *rows: dict[str, str]) -> Path:
    """Write a catalogue, and a photo for each row that names one `photo*`."""
    folder.mkdir(exist_ok=True)
    for row in rows:
        if row["photo"].startswith("photo"):
            (folder / row["photo"]).write_bytes(encoded(gradient(40, 30 + len(row["photo"]))))
    file = folder / "catalogue.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["photo", "name", "describe", "audience", "sizes"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def report(folder: Path) -> list[dict[str, str]]:
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_photos_are_cut_out(system: Parts, tmp_path: Path) -> None:
    broken = tmp_path / "notes.png"
    broken.write_bytes(b"words")
    answers = result(system, "cutout", str(SAMPLE), str(broken), "--out", "cut", status=1)
    assert answers[0] == {"photo": str(SAMPLE), "cutout": "cut/sample_cutout.png", "notes": []}
    assert (tmp_path / "cut/sample_cutout.png").read_bytes().startswith(b"\x89PNG")
    assert "PNG, JPEG, WebP, HEIC" in answers[1]["error"]


def test_no_cutout_replaces_another(system: Parts, tmp_path: Path) -> None:
    (tmp_path / "sample.png").write_bytes(encoded(gradient(40, 30)))
    answer = call(system, "cutout", str(SAMPLE), "sample.png")
    assert answer.exit_code == 2
    assert not list(tmp_path.glob("*_cutout.png"))


def test_marks_are_passed_on(system: Parts) -> None:
    assert call(system, "cutout", str(SAMPLE), "--point", "5,6", "--box", "1,2,30,40").exit_code == 0
    wrong = call(system, "cutout", str(SAMPLE), "--box", "1,2,3")
    assert wrong.exit_code == 2
    assert "4 whole numbers" in wrong.output


def test_ads_are_made(system: Parts, tmp_path: Path) -> None:
    made = result(system, "generate", str(SAMPLE), "--name", "保溫瓶", "--audience", AUDIENCE, "--sizes", "728x90")
    assert made["record"]["product_name"] == "保溫瓶"
    assert made["record"]["target_audience"] == AUDIENCE
    assert made["files"] == ["ads/ad_728x90.jpg", "ads/short_ad.txt", "ads/long_ad.txt", "ads/record.json"]
    assert json.loads((tmp_path / "ads/record.json").read_text(encoding="utf-8")) == made["record"]
    assert all((tmp_path / file).stat().st_size for file in made["files"])
    for option, value in (("--sizes", "1x1"), ("--audience", "female,Martians")):
        refused = call(system, "generate", str(SAMPLE), "--name", "x", option, value)
        assert refused.exit_code == 1
        assert value.rpartition(",")[2] in refused.output


def test_the_history_is_looked_through(system: Parts, tmp_path: Path) -> None:
    made = result(system, "generate", str(SAMPLE), "--name", "Samovar")["record"]
    assert result(system, "history", "samovar") == [made]
    shown = call(system, "history", "--most", "1")
    assert "Samovar" in shown.stdout
    packed = result(system, "history", "--archive", str(made["sequence"]))["archive"]
    assert json.loads(zipfile.ZipFile(io.BytesIO((tmp_path / packed).read_bytes())).read("record.json")) == made
    assert call(system, "history", "--archive", "999999").exit_code == 1


def test_a_record_is_deleted_once_that_is_wanted(system: Parts) -> None:
    made = result(system, "generate", str(SAMPLE), "--name", "Percolator")["record"]
    number = str(made["sequence"])
    assert call(system, "history", "--delete", number).exit_code == 1, "nobody said yes"
    assert result(system, "history", "percolator") == [made]
    assert result(system, "history", "--delete", number, "--yes") == {"deleted": made["sequence"]}
    assert result(system, "history", "percolator") == []
    assert call(system, "history", "--delete", "999999", "--yes").exit_code == 1


def test_a_catalogue_is_worked_off_and_only_once(system: Parts, tmp_path: Path) -> None:
    rows = [{"photo": f"photo{'x' * number}.png", "name": f"Lamp {number}"} for number in range(5)]
    rows += [{"photo": "missing.png", "name": "None"}, {"photo": "photo.png", "name": ""}]
    nobodys = catalogue(tmp_path / "n", {"photo": "photo.png", "name": "Lamp", "audience": "Martians"})
    assert call(system, "batch", str(nobodys), "--out", "nobodys").exit_code == 1
    assert "Martians" in report(tmp_path / "nobodys")[0]["error"]
    file = catalogue(tmp_path / "c", *rows)
    before = len(records(system))
    answer = call(system, "batch", str(file), "--out", "ads", "--parallel", "3")
    assert answer.exit_code == 1
    assert "5 of 7 done" in answer.stdout
    told = report(tmp_path / "ads")
    assert [line["line"] for line in told] == [str(number) for number in range(2, 9)]
    assert [line["status"] for line in told] == ["done"] * 5 + ["failed"] * 2
    assert "missing.png: No such file or directory" in told[5]["error"]
    assert "no name" in told[6]["error"]
    for line in told[:5]:
        record = json.loads((tmp_path / "ads" / line["folder"] / "record.json").read_text(encoding="utf-8"))
        assert record["product_name"] == line["name"]
    assert len(records(system)) == before + 5
    (tmp_path / "c" / "missing.png").write_bytes(encoded(gradient(40, 60)))
    assert call(system, "batch", str(file), "--out", "ads").exit_code == 1
    assert len(records(system)) == before + 6, "only what was missing"
    assert [line["status"] for line in report(tmp_path / "ads")] == ["done"] * 6 + ["failed"]
    changed = catalogue(tmp_path / "c", rows[0] | {"describe": "brighter"}, *rows[1:5])
    assert call(system, "batch", str(changed), "--out", "ads").exit_code == 0
    assert len(records(system)) == before + 7, "and what has changed"


def test_a_busy_gateway_is_waited_for(system: Parts, tmp_path: Path) -> None:
    rows = [{"photo": f"photo{'y' * number}.png", "name": f"Vase {number}"} for number in range(4)]
    file = catalogue(tmp_path / "c", *rows)
    with system.another_gateway(GATEWAY_MAX_GENERATIONS="1", GATEWAY_MAX_UPLOADS="1") as narrow:
        answer = CliRunner().invoke(app, ["--gateway", narrow.url, "batch", str(file), "--parallel", "4"])
    assert answer.exit_code == 0, answer.output
    assert [line["status"] for line in report(tmp_path / "ads")] == ["done"] * 4


def test_a_run_that_was_cut_off_asks_for_nothing_twice(system: Parts, tmp_path: Path) -> None:
    rows = [{"photo": f"photo{'z' * number}.png", "name": f"Rug {number}"} for number in range(6)]
    file = catalogue(tmp_path / "c", *rows)
    before = len(records(system))
    command = [
        sys.executable,
        "-m",
        "cli",
        "--gateway",
        system.gateway.url,
        "batch",
        str(file),
        "--parallel",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
        while not list((tmp_path / "ads").glob("*/record.json")):
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
    assert len(report(tmp_path / "ads")) < 6
    assert call(system, "batch", str(file)).exit_code == 0
    assert len(records(system)) == before + 6


def test_a_catalogue_that_cannot_be_read_is_named(system: Parts, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("picture,title\n", encoding="utf-8")
    answer = call(system, "batch", str(file))
    assert answer.exit_code == 2
    assert "no column photo and name" in answer.output


def test_a_key_is_sent(system: Parts) -> None:
    with system.another_gateway(GATEWAY_API_KEYS=json.dumps({"shop": digest_of(KEY)})) as closed:
        without = CliRunner().invoke(app, ["--gateway", closed.url, "history"])
        assert without.exit_code == 1
        assert "key" in without.output.lower()
        within = CliRunner().invoke(app, ["--gateway", closed.url, "--key", KEY, "--json", "history"])
        assert within.exit_code == 0, within.output


def test_no_gateway_has_a_status_of_its_own() -> None:
    answer = CliRunner().invoke(app, ["--gateway", "http://127.0.0.1:9", "--json", "history"])
    assert answer.exit_code == 3
    assert "does not respond" in json.loads(answer.stdout)["error"]


def test_something_else_than_a_gateway_is_named() -> None:
    with scripted([Reply(200, b"<html>", {"Content-Type": "text/html"})]) as stranger:
        answer = CliRunner().invoke(app, ["--gateway", stranger.url, "history"])
    assert answer.exit_code == 3
    assert "is not a Product Image Generator gateway" in answer.output


def test_a_folder_that_cannot_be_written_is_named(system: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = call(system, "cutout", str(SAMPLE), "--out", "file/ads")
    assert answer.exit_code == 1
    assert "file/ads cannot be used: Not a directory." in answer.output


def test_without_a_gateway_the_system_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "local_address", lambda: "http://127.0.0.1:9")
    for name, value in {**FAST, **AT_HOME, "HISTORY_DISK_DIR": str(tmp_path / "store")}.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(app, ["--json", "cutout", str(SAMPLE)])
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "sample_cutout.png").exists()


def test_the_command_is_installed(tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("product-image"))
    shown = subprocess.run([command, "weights", "list"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "mobile_sam" in shown.stdout
    environment = {
        **os.environ,
        "_PRODUCT_IMAGE_COMPLETE": "complete_bash",
        "COMP_WORDS": "product-image do",
        "COMP_CWORD": "1",
    }
    completed = subprocess.run([command], env=environment, check=True, capture_output=True, text=True)
    assert completed.stdout.split() == ["doctor"]


def test_a_batch_outlives_a_restart_of_the_gateway(system: Parts, tmp_path: Path) -> None:
    rows = [{"photo": f"photo{'w' * number}.png", "name": f"Clock {number}"} for number in range(5)]
    file = catalogue(tmp_path / "c", *rows)
    with system.another_gateway() as gateway:
        command = [sys.executable, "-m", "cli", "--gateway", gateway.url, "batch", str(file), "--parallel", "2"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
            while not list((tmp_path / "ads").glob("*/record.json")):
                assert running.poll() is None
            gateway.kill()
            gateway.start()
            assert running.wait(120) == 0
    assert [line["status"] for line in report(tmp_path / "ads")] == ["done"] * 5
    assert len([one for one in records(system) if one["product_name"].startswith("Clock")]) == 5


def test_a_batch_to_the_wrong_address_ends_at_once(tmp_path: Path) -> None:
    file = catalogue(tmp_path / "c", {"photo": "photo.png", "name": "Lamp"})
    answer = CliRunner().invoke(app, ["--gateway", "http://127.0.0.1:9", "batch", str(file)])
    assert answer.exit_code == 3
    assert "does not respond" in answer.output
