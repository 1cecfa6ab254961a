"""Ads are looked at, edited, and found again by their address."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from testing.system import System
from tests.browser.conftest import NARROW, WIDE, Visitor
from tests.browser.steps import describe_product, generate, take_sample


@pytest.fixture
def record(system: System) -> dict[str, Any]:
    made: dict[str, Any] = system.generate(system.upload().json(), sizes="300x250,728x90", locale="en").json()
    return made


def product_left(page: Page) -> float:
    left: float = page.locator("#edit-picture canvas").evaluate("canvas => canvas.getBoundingClientRect().left")
    return left


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_a_product_is_moved_by_mouse_and_keyboard(
    visitor: Visitor, system: System, record: dict[str, Any], viewport: dict[str, int]
) -> None:
    with visitor.visiting(f"/#record/{record['sequence']}", viewport=viewport) as page:
        page.locator("#record .edit").first.click()
        expect(page.locator("#edit-picture canvas")).to_have_js_property("width", 409, timeout=10_000)
        before = product_left(page)
        frame = page.locator("#edit-picture").bounding_box()
        assert frame is not None
        page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
        page.mouse.down()
        page.mouse.move(frame["x"] + frame["width"] * 0.7, frame["y"] + frame["height"] / 2, steps=5)
        page.mouse.up()
        assert product_left(page) == pytest.approx(before + 0.2 * frame["width"], abs=3)
        page.focus("#edit-picture")
        page.keyboard.press("ArrowLeft")
        assert product_left(page) == pytest.approx(before + 0.18 * frame["width"], abs=3)
        page.locator("[name=edit_scale]").fill("80")
        expect(page.locator("[name=edit_shadow]")).to_have_value("100")
        page.locator("[name=edit_shadow]").fill("40")
        page.fill("[name=edit_headline]", "Cold all day")
        page.select_option("[name=edit_layout]", "left")
        page.click("#edit-make")
        expect(page.locator("#edit")).to_be_hidden(timeout=30_000)
        variant = system.client.get("/api/records").json()["records"][0]
        assert variant["parent"] == record["sequence"]
        assert variant["words"]["headline"] == "Cold all day"
        assert variant["preferences"]["shadow"] == pytest.approx(0.4)
        [moved, other] = variant["products"]
        assert moved["arrangement"]["right"] == pytest.approx(0.18, abs=0.02)
        assert moved["arrangement"]["scale"] == pytest.approx(0.8)
        assert "arrangement" not in other
        assert page.url.endswith(f"#record/{variant['sequence']}")


@pytest.fixture
def worded(system: System) -> dict[str, Any]:
    changes = {"sizes": "300x250", "locale": "en", "layout": "auto", "price": "$29"}
    made: dict[str, Any] = system.generate(system.upload().json(), **changes).json()
    return made


@pytest.mark.parametrize("locale", ["en-GB", "zh-TW"])
def test_words_and_shadow_are_shown_before_they_are_made(visitor: Visitor, worded: dict[str, Any], locale: str) -> None:
    with visitor.visiting(f"/#record/{worded['sequence']}", locale=locale) as page:
        page.locator("#record .edit").click()
        shown, shade = page.locator("#edit-picture .words span"), page.locator("#edit-picture .shade")
        expect(page.locator("#edit-picture canvas")).to_have_js_property("width", 409, timeout=10_000)
        expect(shown).to_have_count(0)
        page.fill("[name=edit_headline]", "Cold all day")
        expect(page.locator("#edit-picture .headline")).to_have_text("Cold all day")
        frame = page.locator("#edit-picture").bounding_box()
        headline = page.locator("#edit-picture .headline").bounding_box()
        assert frame is not None
        assert headline is not None
        [placed] = worded["placed"]
        box = next(one["box"] for one in placed["elements"] if one["element"] == "headline")
        scale = frame["width"] / 300
        assert headline["x"] - frame["x"] == pytest.approx(box["left"] * scale, abs=2)
        assert headline["height"] == pytest.approx((box["bottom"] - box["top"]) * scale, abs=2)
        page.fill("[name=edit_price]", "")
        expect(page.locator("#edit-picture .price")).to_have_text("")
        page.fill("[name=edit_headline]", worded["words"]["headline"])
        expect(shown).to_have_count(1)
        page.select_option("[name=edit_layout]", "none")
        expect(shown).to_have_count(len(placed["elements"]))
        page.locator("[name=edit_shadow]").fill("40")
        expect(shade).to_have_css("opacity", "0.6")
        expect(shade).to_have_class("shade light")
        page.locator("[name=edit_shadow]").fill("100")
        expect(shade).to_have_css("opacity", "0")


def test_nothing_sends_what_was_put_back(visitor: Visitor, record: dict[str, Any]) -> None:
    with visitor.visiting(f"/#record/{record['sequence']}") as page:
        page.locator("#record .edit").first.click()
        expect(page.locator("#edit-picture canvas")).to_have_js_property("width", 409, timeout=10_000)
        page.focus("#edit-picture")
        for _ in range(80):
            page.keyboard.press("ArrowRight")
        stage, product = (
            page.locator("#edit-picture").bounding_box(),
            page.locator("#edit-picture canvas").bounding_box(),
        )
        assert stage is not None
        assert product is not None
        assert product["x"] + product["width"] <= stage["x"] + stage["width"] + 1, "it stays in the ad"
        page.click("#edit-reset")
        expect(page.locator("#edit-picture")).not_to_have_class("edit-picture moved")
        page.click("#edit-close")
        expect(page.locator("#edit")).to_be_hidden()


def test_an_ad_is_enlarged_and_a_record_has_an_address(visitor: Visitor, record: dict[str, Any]) -> None:
    with visitor.visiting(f"/#record/{record['sequence']}") as page:
        expect(page.locator("#record")).to_be_visible()
        page.locator("#record .larger").nth(1).click()
        expect(page.locator("#light img")).to_have_js_property("naturalWidth", 728)
        page.keyboard.press("Escape")
        expect(page.locator("#light")).to_be_hidden()
        expect(page.locator("#record")).to_be_visible()
        page.click("#close")
        expect(page).to_have_url(re.compile("#history$"))
        page.go_back()
        expect(page.locator("#record")).to_be_visible()
        page.go_forward()
        expect(page.locator("#record")).to_be_hidden()


def test_a_reload_keeps_what_was_typed_and_the_photo(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        describe_product(page)
        page.fill("[name=scene]", "on a beach")
        page.reload()
        expect(page.locator("#compare")).to_be_visible(timeout=10_000)
        assert page.locator("[name=product_name]").input_value() == "TrailMate"
        assert page.locator("[name=scene]").input_value() == "on a beach"
        generate(page)
        expect(page.locator(".variant")).to_have_count(1)


def test_the_ads_speak_the_pages_language_until_another_is_chosen(visitor: Visitor) -> None:
    with visitor.visiting(locale="zh-TW") as page:
        locale = page.locator("[name=locale]")
        page.select_option("#language", "en")
        expect(locale).to_have_value("en")
        page.select_option("[name=locale]", "zh-TW")
        page.select_option("#language", "zh-TW")
        page.select_option("#language", "en")
        expect(locale).to_have_value("zh-TW")


def test_a_file_that_is_too_large_is_not_sent(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        page.wait_for_selector("#sizes label", state="attached")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        page.set_input_files("#photo", {"name": "large.png", "mimeType": "image/png", "buffer": bytes(21 << 20)})
        expect(page.locator("#photo-error")).to_have_text("This file has 21 MB: choose one of at most 20 MB.")
        assert not [url for url in sent if "upload" in url]
