"""Many products on the page: folders, zips and tables; pauses, faults and a second visit."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from testing.pictures import ball, encoded
from testing.processes import parts
from testing.system import System
from tests.browser.conftest import Visitor

COLOURS = {"red.png": (200, 30, 40), "blue.png": (30, 60, 200), "green.png": (30, 150, 60)}
PHOTOS = {name: encoded(ball(320, 320, colour=colour)[0]) for name, colour in COLOURS.items()}


def table(*rows: str, header: str = "photo,name,audience,sizes,locale") -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode("utf-8-sig")


ROWS = (
    'red.png,"Ball, red","女性,25-34",300x250,en',
    "photos/blue.png,藍球,戶外旅遊,300x250,zh-TW",
    "GREEN.png,Green ball,,300x250,en",
)


def file(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def photos() -> list[Any]:
    return [file(name, data) for name, data in PHOTOS.items()]


def states(page: Page) -> list[str]:
    return page.locator("#many-rows .state").all_inner_texts()


def test_a_table_of_products_becomes_ads(visitor: Visitor, system: System) -> None:
    with visitor.visiting("/#many") as page:
        page.set_input_files("#many-files", [*photos(), file("list.csv", table(*ROWS))])
        expect(page.locator("#many-rows tr")).to_have_count(3)
        assert states(page) == ["Waiting"] * 3
        page.click("#many-start")
        expect(page.locator("#many-state")).to_contain_text("3 of 3 made", timeout=90_000)
        assert states(page) == ["Done"] * 3
        expect(page.locator("#many-start")).to_be_hidden()
        records = system.client.get("/api/records").json()["records"][:3]
        assert [one["product_name"] for one in records] == ["Green ball", "藍球", "Ball, red"]
        assert {tuple(path[-11:-4] for path in one["generated_images"]) for one in records} == {("300x250",)}
        page.locator("#many-rows .link").first.click()
        expect(page.locator("#record-title")).to_contain_text("Ball, red")


def test_a_zip_is_unpacked(visitor: Visitor) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photos/", b"")
        archive.writestr("photos/紅.png", PHOTOS["red.png"])
        archive.writestr("blue.png", PHOTOS["blue.png"], zipfile.ZIP_STORED)
        archive.writestr("list.csv", table("紅.png;Red", "blue.png;Blue", header="Photo;Name"))
        archive.comment = b"made elsewhere"
    with visitor.visiting("/#many", locale="zh-TW") as page:
        page.set_input_files("#many-files", [file("all.zip", packed.getvalue())])
        expect(page.locator("#many-rows .name")).to_have_text(["Red", "Blue"])
        for image in page.locator("#many-rows img").all():
            expect(image).to_have_js_property("naturalWidth", 320)


def test_two_visits_make_each_product_once(visitor: Visitor, system: System) -> None:
    with visitor.visiting("/#many") as page:
        chosen = [
            *photos(),
            file("list.csv", table("red.png,Twice red,,300x250,en", "blue.png,Twice blue,,300x250,en")),
        ]
        page.set_input_files("#many-files", chosen)
        page.click("#many-start")
        page.click("#many-pause")
        expect(page.locator("#many-start")).to_be_enabled(timeout=60_000)
        expect(page.locator("#many-state")).to_contain_text("1 of 2 made")
        page.reload()
        page.set_input_files("#many-files", chosen)
        assert states(page) == ["Done", "Waiting"]
        page.click("#many-start")
        expect(page.locator("#many-state")).to_contain_text("2 of 2 made", timeout=60_000)
    found = system.client.get("/api/records", params={"query": "Twice"}).json()["records"]
    assert [one["product_name"] for one in found] == ["Twice blue", "Twice red"]


def test_a_busy_server_is_waited_for_and_a_bad_photo_is_passed_over(visitor: Visitor) -> None:
    refused: list[str] = []

    def busy_once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "1"}, body=json.dumps({"detail": "busy"}))

    with visitor.visiting("/#many", expects_errors=True) as page:
        page.route("**/api/upload-image", busy_once)
        rows = ("red.png,Patient,,300x250,en", "bad.png,Bad,,300x250,en", "blue.png,After,,300x250,en")
        page.set_input_files("#many-files", [*photos(), file("bad.png", b"no"), file("list.csv", table(*rows))])
        page.click("#many-start")
        expect(page.locator("#many-state")).to_contain_text("2 of 3 made", timeout=90_000)
        expect(page.locator("#many-start")).to_be_enabled()
        first, second, third = states(page)
        assert (first, third) == ("Done", "Done")
        assert "cannot be read as a picture" in second
        assert refused


def test_nobody_waits_for_a_budget_until_tomorrow(visitor: Visitor) -> None:
    spent = json.dumps({"detail": "The budget for today is spent.", "reason": "BUDGET"})
    with visitor.visiting("/#many", expects_errors=True) as page:
        page.route(
            "**/api/generate-product",
            lambda route: route.fulfill(status=429, headers={"Retry-After": "40000"}, body=spent),
        )
        page.set_input_files("#many-files", [*photos(), file("l.csv", table("red.png,Dear,,300x250,en"))])
        page.click("#many-start")
        expect(page.locator("#many-rows .state")).to_contain_text("budget", ignore_case=True, timeout=30_000)
        expect(page.locator("#many-start")).to_be_enabled()


def test_it_can_be_stopped_at_once(visitor: Visitor, system: System) -> None:
    with visitor.visiting("/#many") as page:
        page.set_input_files("#many-files", [*photos(), file("l.csv", table("red.png,Stopped,,300x250,en"))])
        page.click("#many-start")
        expect(page.locator("#many-rows .state")).to_have_text("Cutting out…")
        page.click("#many-cancel")
        expect(page.locator("#many-rows .state")).to_have_text("Waiting")
        expect(page.locator("#many-start")).to_be_enabled()
    assert system.client.get("/api/records", params={"query": "Stopped"}).json()["records"] == []


def test_it_goes_on_after_the_gateway_died(browser: Browser, tmp_path: Path) -> None:
    with (
        parts(tmp_path, {"FIXED_SECONDS": "0.2"}) as running,
        Visitor(browser, running.gateway.url).visiting("/#many", expects_errors=True) as page,
    ):
        rows = [f"{name},Clock {number},,300x250,en" for number, name in enumerate([*COLOURS, *COLOURS])]
        page.set_input_files("#many-files", [*photos(), file("l.csv", table(*rows))])
        page.click("#many-start")
        expect(page.locator("#many-state")).to_contain_text("1 of 6 made")
        expect(page.locator("#many-rows tr").nth(1).locator(".state")).to_have_text("Making ads…")
        running.gateway.kill()
        running.gateway.start()
        expect(page.locator("#many-state")).to_contain_text("6 of 6 made", timeout=150_000)
        assert states(page) == ["Done"] * 6
        made = page.request.get("/api/records").json()["records"]
    assert sorted(one["product_name"] for one in made) == [f"Clock {number}" for number in range(6)], "each once"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (photos(), "There is no table"),
        ([file("list.csv", b"file,title\na,b\n")], "needs the columns photo and name"),
        ([file("list.csv", b"")], "needs the columns photo and name"),
        ([file("list.csv", table("red.png,Red", "other.png,Other"))], "not chosen: red.png, other.png"),
        ([file("all.zip", b"PK\x03\x04 and no more")], "zip file cannot be read"),
    ],
    ids=["no table", "other columns", "nothing", "photos missing", "no zip"],
)
def test_what_cannot_be_used_is_told(visitor: Visitor, files: list[Any], told: str) -> None:
    with visitor.visiting("/#many") as page:
        page.set_input_files("#many-files", files)
        expect(page.locator("#many-error")).to_contain_text(told)
        expect(page.locator("#many-run")).to_be_hidden()
