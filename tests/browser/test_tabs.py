"""Two tabs of one browser: what is typed belongs to one, what is kept is seen in both."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from testing.pictures import ball, encoded
from testing.system import System
from tests.browser.conftest import SECONDS, WIDE
from tests.browser.test_many import file, states, table


@contextmanager
def two_tabs(browser: Browser, system: System, path: str = "/") -> Iterator[tuple[Page, Page]]:
    """Open a path in two tabs; on exit, no script may have failed in either."""
    url = str(system.client.base_url)
    with browser.new_context(base_url=url, locale="en-GB", viewport=WIDE) as context:  # type: ignore[arg-type]
        context.set_default_timeout(SECONDS)
        troubles: list[str] = []
        tabs = context.new_page(), context.new_page()
        for tab in tabs:
            tab.on("pageerror", lambda error: troubles.append(str(error)))
            tab.goto(path)
            tab.wait_for_selector("#sizes label", state="attached")
        yield tabs
        assert not troubles, troubles


def record_of(system: System, name: str) -> int:
    made = system.generate(system.upload().json(), product_name=name, sizes="300x250").json()
    sequence: int = made["sequence"]
    return sequence


def test_each_keeps_its_own_draft(browser: Browser, system: System) -> None:
    with two_tabs(browser, system) as tabs:
        for tab, name in zip(tabs, ("Lamp", "Kettle"), strict=True):
            tab.fill("[name=product_name]", name)
        for tab, name in zip(tabs, ("Lamp", "Kettle"), strict=True):
            tab.reload()
            expect(tab.locator("[name=product_name]")).to_have_value(name)


def test_a_favourite_of_one_is_one_in_the_other(browser: Browser, system: System) -> None:
    sequence = record_of(system, "Kept")
    with two_tabs(browser, system, f"/#record/{sequence}") as (one, other):
        stars = [tab.locator("#record .favourite") for tab in (one, other)]
        expect(stars[1]).to_have_attribute("aria-pressed", "false")
        stars[0].click()
        expect(stars[1]).to_have_attribute("aria-pressed", "true")
        stars[1].click()
        expect(stars[0]).to_have_attribute("aria-pressed", "false")


def test_what_one_deletes_is_told_in_the_other(browser: Browser, system: System) -> None:
    sequence = record_of(system, "Gone soon")
    with two_tabs(browser, system, "/#history") as (_, other):
        other.fill("[name=query]", "Gone soon")
        expect(other.locator("#records .name")).to_have_text(["Gone soon"])
        assert system.client.delete(f"/api/records/{sequence}").status_code == 204
        other.locator("#records button").click()
        expect(other.locator("#history-error")).to_have_text("There are no such ads: they may have been deleted.")
        expect(other.locator("#records .name")).to_have_count(0)
        expect(other.locator("#record")).to_be_hidden()


def test_the_same_list_in_both_makes_each_product_once(browser: Browser, system: System) -> None:
    photo = file("red.png", encoded(ball(320, 320, colour=(200, 30, 40))[0]))
    with two_tabs(browser, system, "/#many") as tabs:
        for tab in tabs:
            tab.set_input_files("#many-files", [photo, file("l.csv", table("red.png,In both tabs,,300x250,en"))])
        for tab in tabs:
            tab.click("#many-start")
        for tab in tabs:
            expect(tab.locator("#many-state")).to_contain_text("1 of 1 made", timeout=90_000)
            assert states(tab) == ["Done"]
    found = system.client.get("/api/records", params={"query": "In both tabs"}).json()["records"]
    assert len(found) == 1


def test_many_products_go_on_when_the_connection_is_back(browser: Browser, system: System) -> None:
    colours = {"one.png": (20, 90, 160), "two.png": (160, 90, 20)}
    photos = [file(name, encoded(ball(320, 320, colour=colour)[0])) for name, colour in colours.items()]
    rows = ("one.png,Through a gap 1,,300x250,en", "two.png,Through a gap 2,,300x250,en")
    with two_tabs(browser, system, "/#many") as (page, _):
        page.set_input_files("#many-files", [*photos, file("l.csv", table(*rows))])
        page.click("#many-start")
        expect(page.locator("#many-rows .state").first).to_have_text("Cutting out…")
        page.context.set_offline(True)
        page.wait_for_timeout(3000)
        page.context.set_offline(False)
        expect(page.locator("#many-state")).to_contain_text("2 of 2 made", timeout=90_000)
    found = system.client.get("/api/records", params={"query": "Through a gap"}).json()["records"]
    assert sorted(one["product_name"] for one in found) == ["Through a gap 1", "Through a gap 2"]
