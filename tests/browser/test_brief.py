"""What the ads say and to whom: examples, audiences in words, brand kits, sizes, variants side by side."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from testing.pictures import ball, encoded
from testing.system import System
from tests.browser.conftest import Visitor
from tests.browser.steps import chosen, describe_product, generate, take_sample

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="#c8102e"/></svg>'
)


def audience(page: Page) -> list[str]:
    return [chosen(page, category) for category in ("gender", "age", "interest")]


@pytest.mark.parametrize("name", ["bottle", "mug", "lotion"])
def test_an_example_fills_everything_in(visitor: Visitor, name: str) -> None:
    with visitor.visiting(locale="zh-TW") as page:
        for image in page.locator("#examples img").all():
            expect(image).to_have_js_property("complete", True)
            assert image.evaluate("image => image.naturalWidth") > 100
        page.click(f"[data-example={name}]")
        expect(page.locator("#waiting, #compare").first).to_be_visible()
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        assert re.search("[一-鿿]", page.locator("[name=product_name]").input_value())
        assert page.locator("[name=product_describe]").input_value()
        assert page.locator("[name=style]:checked").input_value()
        assert page.locator("[name=layout]").input_value() == "auto"
        expect(page.locator("#examples")).to_be_hidden()


def test_another_example_takes_its_place_but_not_that_of_what_was_typed(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        page.set_input_files("#photo", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
        expect(page.locator("#photo-error")).not_to_be_empty()
        page.click("[data-example=mug]")
        expect(page.locator("[name=product_name]")).to_have_value("Slow Morning mug")
        page.fill("[name=product_name]", "Mine")
        page.set_input_files("#photo", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
        expect(page.locator("#photo-error")).not_to_be_empty()
        page.click("[data-example=lotion]")
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        assert page.locator("[name=product_name]").input_value() == "Mine"


def test_an_audience_is_understood_in_ones_own_words(visitor: Visitor) -> None:
    with visitor.visiting(expects_errors=True) as page:
        words, error = page.locator("[name=audience_words]"), page.locator("#audience-error")
        words.fill("women, 30, hiking")
        words.press("Enter")
        expect(page.locator("[name=gender][value='女性']")).to_be_checked()
        assert audience(page) == ["女性", "25-34", "戶外旅遊"]
        words.fill("gentlemen, zzz")
        words.blur()
        expect(error).to_have_text("Not all of this audience is known: choose below, or use other words.")
        assert audience(page) == ["女性", "25-34", "戶外旅遊"]
        page.select_option("#language", "zh-TW")
        expect(error).to_contain_text("無法辨識")
        assert "女性" in page.locator("#audience-list option").evaluate_all("options => options.map(o => o.value)")
        words.fill("不限")
        words.press("Enter")
        expect(page.locator("[name=gender][value='不限']")).to_be_checked()
        expect(error).to_be_empty()


def test_a_brand_is_saved_only_once_it_is_there(visitor: Visitor, system: System) -> None:
    kit = {"primary_colour": "#336699", "legal": "Terms apply."}
    for name in ("Slow", "Gone"):
        assert system.client.put(f"/api/brands/{name}", data=kit).status_code == 200
    with visitor.visiting() as page:
        page.on("dialog", lambda dialog: dialog.accept())
        waiting: list[Route] = []
        page.route(
            "**/api/brands/*",
            lambda route: waiting.append(route) if route.request.method == "GET" else route.continue_(),
        )
        page.select_option("[name=brand]", "Slow")
        page.click("#brand-edit")
        expect(page.locator("[name=kit_name]")).to_have_value("Slow")
        expect(page.locator("#kit button.primary")).to_be_disabled()
        page.click("#kit-close")
        page.click("#brand-new")
        waiting.pop().continue_()
        page.fill("[name=kit_name]", "New")
        page.click("#kit button.primary")
        expect(page.locator("#kit")).to_be_hidden()
        assert system.client.get("/api/brands/New").json()["legal"] == "", "nothing of the other is in it"
        page.select_option("[name=brand]", "Gone")
        page.click("#brand-edit")
        page.click("#kit-delete")
        expect(page.locator("#kit")).to_be_hidden()
        assert system.client.get("/api/brands/Gone").status_code == 404
        waiting.pop().abort()


def test_a_brand_is_made_used_changed_and_deleted(visitor: Visitor, system: System) -> None:
    with visitor.visiting(expects_errors=True) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("#brand-new")
        page.click("#kit button.primary")
        expect(page.locator("#kit-error")).to_have_text("Enter the brand's name.")
        page.fill("[name=kit_name]", "Lulu & Co")
        page.fill("[name=kit_primary]", "red")
        page.click("#kit button.primary")
        expect(page.locator("#kit-error")).not_to_be_empty()
        page.locator("[data-for=kit_primary]").fill("#c8102e")
        assert page.locator("[name=kit_primary]").input_value() == "#c8102e"
        page.set_input_files("#kit-logo", {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
        page.fill("[name=kit_legal]", "Terms apply.")
        page.click("#kit button.primary")
        expect(page.locator("#kit")).to_be_hidden()
        expect(page.locator("[name=brand]")).to_have_value("Lulu & Co")
        stored = system.client.get("/api/brands/Lulu & Co").json()
        assert stored["primary_colour"].lower() == "#c8102e"
        assert stored["logo"]
        page.click("#brand-edit")
        expect(page.locator("[name=kit_legal]")).to_have_value("Terms apply.")
        expect(page.locator("#kit-shown")).to_be_visible()
        page.select_option("[name=kit_font]", "serif")
        page.click("#kit button.primary")
        expect(page.locator("#kit")).to_be_hidden()
        changed = system.client.get("/api/brands/Lulu & Co").json()
        assert changed["font"] == "serif"
        assert changed["logo"] == stored["logo"], "a change of the typeface leaves the logo"
        page.click("#brand-edit")
        page.click("#kit-delete")
        expect(page.locator("#kit")).to_be_hidden()
        expect(page.locator("[name=brand]")).to_have_value("")
        assert "Lulu & Co" not in system.client.get("/api/brands").json()["names"]


def test_platforms_are_shown_drawn_and_their_ads_together(visitor: Visitor) -> None:
    with visitor.visiting(accept_downloads=True) as page:
        take_sample(page)
        line = page.locator(".platform:has([value=line])")
        assert line.locator("i").count() == int(re.findall(r"\d+", line.inner_text())[-1])
        line.locator("input").check()
        generate(page)
        headings = page.locator(".group h4")
        expect(headings).to_have_text(["LINE Ads Platform", "Single sizes"])
        assert page.locator(".group").first.locator("img").count() == line.locator("i").count()
        assert page.locator(".text .length").nth(2).text_content() != ""
        with page.expect_download() as kept:
            page.locator(".group .set").first.click()
        assert "-line-" in kept.value.suggested_filename
        page.locator(".link").first.click()
        expect(page.locator("#record h4").first).to_have_text("LINE Ads Platform")


def test_variants_stand_in_columns_and_can_be_deleted_and_had_back(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        describe_product(page, "Columns")
        generate(page)
        expect(page.locator("#columns")).to_be_hidden()
        page.click("#again")
        variants = page.locator(".variant")
        expect(variants).to_have_count(2, timeout=60_000)
        tops = [variant.bounding_box() for variant in variants.all()]
        assert tops[0] is not None
        assert tops[1] is not None
        assert tops[0]["y"] == tops[1]["y"]
        page.check("[name=columns][value='1']")
        lower = variants.nth(1).bounding_box()
        assert lower is not None
        assert lower["y"] > tops[0]["y"]
        variants.nth(0).locator(".delete").click()
        expect(variants).to_have_count(1)
        page.locator(".toast button").click()
        expect(variants).to_have_count(2)
        assert "Variant 2" in variants.first.inner_text()
        variants.nth(0).locator(".delete").click()
        expect(page.locator(".toast")).to_have_count(0, timeout=15_000)
        found = system.client.get("/api/records", params={"query": "Columns"}).json()["records"]
        assert len(found) == 1


def test_a_pasted_picture_is_taken_but_not_by_a_field(visitor: Visitor) -> None:
    paste = """([selector, bytes]) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([new Uint8Array(bytes)], "ball.png", { type: "image/png" }));
        const event = new ClipboardEvent("paste", { clipboardData, bubbles: true });
        document.querySelector(selector).dispatchEvent(event);
    }"""
    picture = list(encoded(ball(200, 200)[0]))
    with visitor.visiting() as page:
        page.evaluate(paste, ["[name=product_name]", picture])
        page.wait_for_timeout(200)
        expect(page.locator("#photo-busy")).to_be_empty()
        page.evaluate(paste, ["body", picture])
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)


def test_the_picture_can_be_enlarged_for_exact_marks(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        whole = page.locator("#after").bounding_box()
        assert whole is not None
        expect(page.locator("#smaller")).to_be_disabled()
        for _ in range(4):
            page.click("#larger")
        expect(page.locator("#larger")).to_be_disabled()
        large = page.locator("#after").bounding_box()
        assert large is not None
        assert large["width"] == pytest.approx(4 * whole["width"], rel=0.02)
        seen = page.locator("#viewport").bounding_box()
        assert seen is not None
        page.mouse.click(seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2)
        expect(page.locator("#recut-state")).to_have_attribute("data-t", "recut.done", timeout=20_000)
        for _ in range(4):
            page.click("#smaller")
        small = page.locator("#after").bounding_box()
        assert small is not None
        assert small["width"] == pytest.approx(whole["width"], rel=0.01)
