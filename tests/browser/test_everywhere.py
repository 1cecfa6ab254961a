"""Languages, viewports and colour schemes; accessibility; the size and origin of what is loaded."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import NARROW, WIDE, Visitor
from tests.browser.steps import CSV, describe_product, generate, take_sample

TABLET, LARGE = {"width": 768, "height": 1024}, {"width": 1440, "height": 900}
PARTS = ("create", "many", "history", "status")
CONTENT = {
    "create": "#sizes label",
    "history": "#history-state[data-t='history.found']",
    "status": "#engines li",
    "many": "#many-hint, #many .hint",
}


def open_part(page: Page, part: str) -> None:
    page.click(f"nav a[href='#{part}']")
    page.wait_for_selector(CONTENT[part], state="attached")


def texts(page: Page) -> dict[str, str]:
    """Return every text of the page by its key."""
    found: dict[str, str] = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('[data-t]')].map(e => [e.dataset.t, e.textContent]))"
    )
    return found


def test_the_language_is_the_browsers_and_can_be_changed(visitor: Visitor) -> None:
    with visitor.visiting(locale="zh-TW") as page:
        chinese = texts(page)
        assert page.title() == "商品廣告圖產生器"
        assert page.locator("html").get_attribute("lang") == "zh-TW"
        assert page.locator("[name=locale]").input_value() == "zh-TW"
        take_sample(page)
        page.fill("[name=product_name]", "保溫瓶")
        page.select_option("#language", "en")
        english = texts(page)
        assert page.title() == "Product Image Generator"
        assert page.locator("[name=product_name]").input_value() == "保溫瓶", "what was typed stays"
        assert page.locator("#after").get_attribute("alt") == "The product, cut out"
        assert page.locator("#audience .chip").nth(1).inner_text() == "Male"
        both = english.keys() & chinese.keys()
        assert len(both) > 50
        assert [key for key in both if english[key] == chinese[key]] == []
        page.reload()
        assert page.title() == "Product Image Generator", "the choice is kept"


@pytest.mark.parametrize(  # pairwise
    ("locale", "viewport", "scheme"),
    [
        ("en-GB", WIDE, "light"),
        ("en-GB", NARROW, "dark"),
        ("zh-TW", WIDE, "dark"),
        ("zh-TW", NARROW, "light"),
        ("en-GB", TABLET, "light"),
        ("zh-TW", TABLET, "dark"),
        ("en-GB", LARGE, "dark"),
        ("zh-TW", LARGE, "light"),
    ],
)
def test_no_part_is_hard_to_use(visitor: Visitor, locale: str, viewport: dict[str, int], scheme: Any) -> None:
    with visitor.visiting(locale=locale, viewport=viewport, color_scheme=scheme) as page:
        take_sample(page)
        describe_product(page)
        page.set_input_files("#list", {"name": "users.csv", "mimeType": "text/csv", "buffer": CSV})
        page.click("#sizes-summary")
        generate(page)
        for part in PARTS:
            open_part(page, part)
            check(page)
        open_part(page, "history")
        page.locator("#records li button").first.click()
        page.locator("#record .how summary").click()
        check(page)
        page.click("#close")
        open_part(page, "create")
        page.locator(".edit").first.click()
        check(page)
        page.click("#edit-close")
        page.click("#brand-new")
        check(page)


def check(page: Page) -> None:
    """Check that axe-core finds nothing, and that neither the page nor its menu scrolls sideways."""
    found = Axe().run(page).response["violations"]
    assert not found, [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
    for part in ("html", "nav"):
        wide, shown = page.locator(part).first.evaluate("part => [part.scrollWidth, part.clientWidth]")
        assert wide <= shown, part


def test_nothing_moves_for_those_who_do_not_want_it(visitor: Visitor) -> None:
    with visitor.visiting(reduced_motion="reduce") as page:
        page.locator("#photo-busy").evaluate("element => { element.hidden = false; }")
        spinner = "element => getComputedStyle(element, '::before').animationName"
        assert page.locator("#photo-busy").evaluate(spinner) == "none"


def test_nothing_jumps_while_the_page_loads(visitor: Visitor) -> None:
    shifts = """() => new Promise(resolve => new PerformanceObserver(list =>
        resolve(list.getEntries().filter(shift => !shift.hadRecentInput).map(shift => shift.value))
    ).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(() => resolve([]), 500))"""
    for viewport in (NARROW, LARGE):
        with visitor.visiting(viewport=viewport) as page:
            page.wait_for_load_state("networkidle")
            assert sum(page.evaluate(shifts)) == pytest.approx(0, abs=0.001)


def test_there_is_something_to_read_before_the_scripts(visitor: Visitor) -> None:
    for locale, title in (("zh-TW", "商品廣告圖產生器"), ("en-GB", "Product Image Generator")):
        context = visitor.browser.new_context(base_url=visitor.url, locale=locale, java_script_enabled=False)
        page = context.new_page()
        page.goto("/")
        expect(page.locator("header .brand")).to_have_text(title)
        context.close()


def test_little_is_loaded_and_all_of_it_from_here(visitor: Visitor) -> None:
    answers: list[Response] = []
    with visitor.visiting() as page:
        page.on("response", lambda answer: answers.append(answer))
        page.reload()
        expect(page.locator("#sizes label").first).to_be_attached()
        page.wait_for_load_state("networkidle")
        sizes = [answer.request.sizes()["responseBodySize"] for answer in answers]
        assert len(answers) > 10
        assert sum(sizes) <= 150_000
        assert {answer.url.startswith(visitor.url) for answer in answers} == {True}
        policy = answers[0].headers["content-security-policy"]
        assert "unsafe" not in policy
        hashed = [answer for answer in answers if "/web/" in answer.url]
        assert len(hashed) > 8
        assert {answer.headers["cache-control"] for answer in hashed} == {"public, max-age=31536000, immutable"}
