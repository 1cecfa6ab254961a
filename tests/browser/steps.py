"""What a visitor does on the page."""

from playwright.sync_api import Page, expect

CSV = b"uid\na\nb\nc\nd\na\n"


def take_sample(page: Page) -> None:
    """Take the sample photo in, and wait for its cut-out."""
    page.click("#sample")
    expect(page.locator("#compare")).to_be_visible(timeout=30_000)


def describe_product(page: Page, name: str = "TrailMate") -> None:
    """Fill in what is needed."""
    page.fill("[name=product_name]", name)
    page.fill("[name=product_describe]", "Keeps drinks cold for 24 hours")


def generate(page: Page) -> None:
    """Make ads, and wait for them."""
    page.click("#generate")
    expect(page.locator("#run-state")).to_have_attribute("data-t", "run.done", timeout=60_000)
