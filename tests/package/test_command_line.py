"""The project's wheel, alone in a bare environment: `product-image` talks to a gateway elsewhere."""

import json
import sys
from pathlib import Path

import pytest

from testing.bare_environment import BareEnvironment, build_wheel, install_alone
from testing.pictures import ball, encoded
from testing.processes import ROOT, parts

DECLARED = {
    *("httpx", "httpcore", "httpx_sse", "h11", "anyio", "certifi", "idna", "sniffio"),
    *("pydantic", "pydantic_core", "pydantic_settings", "annotated_types", "typing_extensions", "typing_inspection"),
    *("typer", "click", "shellingham", "rich", "pygments", "markdown_it", "mdurl", "tenacity", "dotenv"),
    "annotated_doc",
}
pytestmark = pytest.mark.slow

OURS = {"cli", "common"}
LISTED = """
import json, sys
before = set(sys.modules)
import cli.__main__
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    folder = tmp_path_factory.mktemp("project")
    return install_alone(build_wheel(ROOT, folder / "dist"), folder / "venv")


def test_it_makes_ads_with_a_gateway_elsewhere(bare: BareEnvironment, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(ball(320, 240)[0], "JPEG"))
    command = str(bare.python.with_name("product-image"))
    with parts(tmp_path / "store") as running:
        options = ("--gateway", running.gateway.url, "--json")
        ads = ("generate", "photo.jpg", "--name", "Ball", "--audience", "女性,25-34,戶外旅遊", "--out", "ads")
        made = bare.run(command, *options, *ads, folder=tmp_path)
        listed = bare.run(command, *options, "history", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert len(list((tmp_path / "ads").glob("ad_*.jpg"))) == 3
    assert [record["product_name"] for record in json.loads(listed.stdout)] == ["Ball"]


def test_it_imports_no_models_clouds_or_image_libraries(bare: BareEnvironment, tmp_path: Path) -> None:
    done = bare.run("-c", LISTED, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    imported = {name for name in json.loads(done.stdout) if not name.startswith("_sysconfigdata")}
    imported -= set(sys.stdlib_module_names) | OURS
    assert imported <= DECLARED, imported - DECLARED


@pytest.mark.parametrize("command", ["serve", "demo", "weights"])
def test_what_needs_the_services_says_so(bare: BareEnvironment, tmp_path: Path, command: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    done = bare.run(str(bare.python.with_name("product-image")), command, folder=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "make setup" in done.stderr
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_the_doctor_checks_the_gateway_alone(bare: BareEnvironment, tmp_path: Path) -> None:
    command = (str(bare.python.with_name("product-image")), "--json", "--gateway", "http://127.0.0.1:1", "doctor")
    done = bare.run(*command, folder=tmp_path)
    assert done.returncode == 1
    subjects = {finding["subject"] for finding in json.loads(done.stdout)}
    assert "gateway" in subjects
    assert not [subject for subject in subjects if "weights" in subject or "check" in subject]
