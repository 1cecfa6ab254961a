"""The page without a mouse: every step in both languages, at three widths."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from testing.pictures import ball, encoded
from testing.system import System
from tests.browser.conftest import NARROW, Visitor

TABLET, DESKTOP = {"width": 768, "height": 1024}, {"width": 1440, "height": 900}
everywhere = pytest.mark.parametrize(
    ("locale", "viewport"),
    [
        pytest.param(locale, viewport, id=f"{locale} {viewport['width']}")
        for locale in ("en-GB", "zh-TW")
        for viewport in (NARROW, TABLET, DESKTOP)
    ],
)
IS_OUTLINED = """element => [element, element.closest(".button"), element.nextElementSibling].some(
    shown => shown && getComputedStyle(shown).outlineStyle === "solid")"""


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until an element has the focus, which must be visible."""
    for _ in range(90):
        page.keyboard.press(key)
        focused = page.locator(f"{selector}:focus")
        if focused.count():
            assert focused.evaluate(IS_OUTLINED), f"{selector} does not show its focus"
            return
    raise AssertionError(f"{selector} cannot be reached")


@everywhere
def test_a_product_is_cut_out_and_marked_by_keyboard(visitor: Visitor, locale: str, viewport: dict[str, int]) -> None:
    with visitor.visiting(locale=locale, viewport=viewport) as page:
        page.keyboard.press("Tab")
        assert page.locator(".skip:focus").count() == 1
        tab_to(page, "#photo")
        tab_to(page, "[data-example=bottle]")
        page.keyboard.press("Enter")
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        tab_to(page, "#picture")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#prompts .dot")).to_have_count(1)
        expect(page.locator("#recut-state")).to_have_attribute("data-t", "recut.done", timeout=20_000)
        tab_to(page, "#undo")
        page.keyboard.press("Enter")
        expect(page.locator("#redo")).to_be_enabled(timeout=20_000)
        tab_to(page, "#redo")
        page.keyboard.press("Enter")
        expect(page.locator("#redo")).to_be_disabled(timeout=20_000)
        before = page.locator("#after").evaluate("image => image.clientWidth")
        tab_to(page, "#larger", "Shift+Tab")
        page.keyboard.press("Enter")
        assert page.locator("#after").evaluate("image => image.clientWidth") > 1.2 * before
        tab_to(page, "#smaller", "Shift+Tab")
        page.keyboard.press("Enter")
        tab_to(page, "#split")
        page.keyboard.press("ArrowRight")
        assert page.locator("#split").input_value() == "1"
        tab_to(page, "[name=tool]:checked")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert page.locator("[name=tool]:checked").input_value() == "box"
        tab_to(page, "#picture", "Shift+Tab")
        for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowUp", "Enter"):
            page.keyboard.press(key)
        for key in ("ArrowRight",) * 6 + ("ArrowDown",) * 7 + ("Enter",):
            page.keyboard.press(key)
        expect(page.locator("#prompts .box")).to_have_count(1)
        expect(page.locator("#recut-state")).to_have_attribute("data-t", "recut.done", timeout=20_000)
        tab_to(page, "[name=product_name]")
        page.keyboard.type("TrailMate")
        page.keyboard.press("Enter")
        expect(page.locator(".variant")).to_have_count(1, timeout=60_000)
        tab_to(page, "nav a[href='#history']", "Shift+Tab")
        page.keyboard.press("Enter")
        tab_to(page, "#records li:first-child .open")
        page.keyboard.press("Enter")
        expect(page.locator("#record")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#record")).to_be_hidden()
        assert page.locator("#records li:first-child .open:focus").count() == 1, "the focus comes back"


@everywhere
def test_ads_are_made_and_edited_by_keyboard(visitor: Visitor, locale: str, viewport: dict[str, int]) -> None:
    """With a brand that is made on the way; the hand never leaves the keyboard."""
    with visitor.visiting(locale=locale, viewport=viewport, reduced_motion="reduce") as page:
        tab_to(page, "[data-example=mug]")
        page.keyboard.press("Enter")
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        tab_to(page, "[name=gender]:checked")
        page.keyboard.press("ArrowRight")
        assert page.locator("[name=gender]:checked").input_value() != "不限"
        tab_to(page, "#brand-new")
        page.keyboard.press("Enter")
        tab_to(page, "[name=kit_name]")
        page.keyboard.type(f"Keys {locale} {viewport['width']}")
        tab_to(page, "#kit button.primary")
        page.keyboard.press("Enter")
        expect(page.locator("#kit")).to_be_hidden()
        expect(page.locator("[name=brand]")).to_have_value(f"Keys {locale} {viewport['width']}")
        tab_to(page, "#generate")
        page.keyboard.press("Enter")
        expect(page.locator("#run-state")).to_have_attribute("data-t", "run.done", timeout=60_000)
        tab_to(page, "#results .larger")
        page.keyboard.press("Enter")
        expect(page.locator("#light")).to_be_visible()
        page.keyboard.press("Escape")
        tab_to(page, "#results .favourite")
        page.keyboard.press("Space")
        expect(page.locator("#results .favourite").first).to_have_attribute("aria-pressed", "true")
        with page.expect_download():
            tab_to(page, "#results .archive", "Shift+Tab")
            page.keyboard.press("Enter")
        tab_to(page, "#results .text button")
        page.keyboard.press("Enter")
        expect(page.locator("#results .text button").first).to_have_attribute("data-t", "results.copied")
        tab_to(page, "#results .edit", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#edit-picture canvas")).not_to_have_js_property("width", 0)
        tab_to(page, "#edit-picture")
        page.keyboard.press("ArrowRight")
        tab_to(page, "[name=edit_scale]")
        page.keyboard.press("ArrowLeft")
        tab_to(page, "[name=edit_shadow]")
        page.keyboard.press("ArrowLeft")
        tab_to(page, "#edit-make")
        page.keyboard.press("Enter")
        expect(page.locator("#edit")).to_be_hidden(timeout=30_000)
        expect(page.locator(".variant")).to_have_count(2)
        tab_to(page, "#columns input:checked", "Shift+Tab")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#variants")).to_have_attribute("data-columns", "4")
        tab_to(page, ".variant .delete")
        page.keyboard.press("Enter")
        expect(page.locator(".variant")).to_have_count(1)
        page.keyboard.press("Enter")  # the focus is on what undoes it
        expect(page.locator(".variant")).to_have_count(2)


@everywhere
def test_the_history_is_searched_and_used_by_keyboard(
    visitor: Visitor, system: System, locale: str, viewport: dict[str, int]
) -> None:
    name = f"Kettle {locale} {viewport['width']}"
    system.generate(system.upload().json(), product_name=name)
    with visitor.visiting("/#history", locale=locale, viewport=viewport) as page:
        expect(page.locator("#records .open").first).to_be_visible()
        tab_to(page, "[name=query]")
        page.keyboard.type(name)
        expect(page.locator("#records > li")).to_have_count(1)
        expect(page.locator("#records .name")).to_have_text(name)
        tab_to(page, "[name=for]")
        page.keyboard.press("ArrowDown")  # men, whom it is not for
        expect(page.locator("#records > li")).to_have_count(0)
        page.keyboard.press("ArrowUp")
        expect(page.locator("#records > li")).to_have_count(1)
        tab_to(page, "[name=favourites]")
        page.keyboard.press("Space")
        expect(page.locator("#records > li")).to_have_count(0)
        page.keyboard.press("Space")
        expect(page.locator("#records > li")).to_have_count(1)
        tab_to(page, "#records .open")
        page.keyboard.press("Enter")
        tab_to(page, "#delete")
        page.keyboard.press("Enter")
        expect(page.locator("#records > li")).to_have_count(0)
        page.keyboard.press("Enter")  # the focus is on what undoes it
        expect(page.locator("#records > li")).to_have_count(1)
        tab_to(page, "#records .open", "Shift+Tab")
        page.keyboard.press("Enter")
        tab_to(page, "#reuse")
        page.keyboard.press("Enter")
        expect(page.locator("[name=product_name]")).to_have_value(name)
        expect(page.locator("#compare")).to_be_visible()
    assert system.client.get("/api/records", params={"query": name}).json()["records"], "nothing was deleted"


@everywhere
def test_the_brief_is_filled_in_by_keyboard(
    visitor: Visitor, system: System, locale: str, viewport: dict[str, int]
) -> None:
    kit = f"Kit {locale} {viewport['width']}"
    system.client.put(f"/api/brands/{kit}", data={"primary_colour": "#0b6e4f"})
    with visitor.visiting(locale=locale, viewport=viewport) as page:
        page.on("dialog", lambda asked: asked.accept())
        tab_to(page, "[name=audience_words]")
        page.keyboard.type("女性、38歲" if locale == "zh-TW" else "women, 38")
        page.keyboard.press("Enter")
        expect(page.locator("[name=age]:checked")).to_have_value("35-44")
        expect(page.locator("[name=gender]:checked")).to_have_value("女性")
        tab_to(page, "[name=style]:checked")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[name=style]:checked")).not_to_have_value("")
        tab_to(page, "[name=scene]")
        page.keyboard.type("a beach")
        tab_to(page, "#platforms input")
        page.keyboard.press("Space")
        expect(page.locator("#platforms input").first).to_be_checked()
        tab_to(page, "#sizes-summary")
        page.keyboard.press("Enter")
        tab_to(page, "#sizes input")
        page.keyboard.press("Space")
        tab_to(page, "[name=layout]")
        page.keyboard.press("ArrowDown")
        expect(page.locator("[name=layout]")).to_have_value("auto")
        for field in ("headline", "call_to_action", "price"):
            tab_to(page, f"[name={field}]")
            page.keyboard.type("12")
        tab_to(page, "[name=locale]")
        tab_to(page, "[name=brand]")
        page.keyboard.type(kit)
        expect(page.locator("[name=brand]")).to_have_value(kit)
        tab_to(page, "#brand-edit")
        page.keyboard.press("Enter")
        expect(page.locator("[name=kit_primary]")).to_have_value(re.compile("#0b6e4f", re.IGNORECASE))
        tab_to(page, "#kit-delete")
        page.keyboard.press("Enter")
        expect(page.locator("#kit")).to_be_hidden()
        expect(page.locator("[name=brand]")).to_have_value("")
        tab_to(page, "nav a[href='#status']", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#services .up")).to_have_count(4)
    assert kit not in system.client.get("/api/brands").json()["names"]


@everywhere
def test_many_products_are_made_by_keyboard(visitor: Visitor, locale: str, viewport: dict[str, int]) -> None:
    with visitor.visiting("/#many", locale=locale, viewport=viewport) as page:
        tab_to(page, "#many-files")
        rows = f"photo,name,sizes\nmug.png,Mug {locale} {viewport['width']},300x250\n".encode()
        photo: FilePayload = {"name": "mug.png", "mimeType": "image/png", "buffer": encoded(ball(240, 240)[0])}
        listed: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": rows}
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Space")
        chooser.value.set_files([photo, listed])
        tab_to(page, "#many-start")
        page.keyboard.press("Enter")
        expect(page.locator("#many-rows .link")).to_be_visible(timeout=60_000)
        tab_to(page, "#many-rows .link")
        page.keyboard.press("Enter")
        expect(page.locator("#record")).to_be_visible()
