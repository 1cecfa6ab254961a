"""Steps of a visitor on the page."""

from playwright.sync_api import Page, expect

CSV = b"uid\na\nb\nc\nd\na\n"


SAMPLE = "[data-example=bottle]"


def take_sample(page: Page) -> None:
    """Choose the example of the bottle and wait for its cutout."""
    page.click(SAMPLE)
    expect(page.locator("#compare")).to_be_visible(timeout=30_000)


def describe_product(page: Page, name: str = "TrailMate") -> None:
    """Fill in the name and the description."""
    page.fill("[name=product_name]", name)
    page.fill("[name=product_describe]", "Keeps drinks cold for 24 hours")


def chosen(page: Page, category: str) -> str:
    """Return the tag that is chosen of an audience category."""
    return page.locator(f"[name={category}]:checked").input_value()


def generate(page: Page) -> None:
    """Make ads and wait for them."""
    page.click("#generate")
    expect(page.locator("#run-state")).to_have_attribute("data-t", "run.done", timeout=60_000)
