"""The page without a mouse."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until an element has the focus, which must be visible."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.locator(f"{selector}:focus").count():
            outline = "element => getComputedStyle(element.closest('.button') ?? element).outlineStyle"
            assert page.locator(selector).evaluate(outline) == "solid", f"{selector} does not show its focus"
            return
    raise AssertionError(f"{selector} cannot be reached")


def test_everything_can_be_done_by_keyboard(visitor: Visitor) -> None:
    with visitor.visiting() as page:
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
