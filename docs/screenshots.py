"""`make screenshots`: take the pictures of the page for the README and the tour, in docs/images/ (needs chromium)."""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from testing.system import started

FOLDER = Path("docs/images")
QUALITY = 82
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 780}
CUT_MS, MADE_MS = 60_000, 120_000


def main() -> None:
    """Take them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), {}) as system,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        address = str(system.client.base_url)
        page = opened(browser, address, locale="en-GB", viewport=WIDE)
        _keep(page, "start", whole=False)
        _make_ads(page, "bottle", "seaside", "$29")
        _keep(page, "page", whole=False)
        page.locator(".edit").nth(1).click()
        page.wait_for_selector("#edit-picture canvas:not([width='0'])")
        page.focus("#edit-picture")
        for key in ("ArrowRight",) * 3:
            page.keyboard.press(key)
        _keep(page, "edit", whole=False)
        page.close()
        page = opened(browser, address, locale="zh-TW", viewport=PHONE, color_scheme="dark")
        _make_ads(page, "mug", "cafe", "NT$590")
        page.locator("#results").scroll_into_view_if_needed()
        _keep(page, "phone", whole=False)
        browser.close()


def opened(browser: Browser, address: str, **options: object) -> Page:
    """Open the page."""
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.goto(address)
    page.wait_for_selector(".style img")
    return page


def take_example(page: Page, name: str) -> None:
    """Choose an example, and wait for its cut-out."""
    page.click(f"[data-example={name}]")
    page.wait_for_selector("#compare:not([hidden])", timeout=CUT_MS)


def _make_ads(page: Page, example: str, style: str, price: str) -> None:
    take_example(page, example)
    page.check(f"[name=style][value={style}]", force=True)
    page.fill("[name=price]", price)
    page.click("#generate")
    page.wait_for_selector(".variant", timeout=MADE_MS)
    page.wait_for_load_state("networkidle")


def _keep(page: Page, name: str, *, whole: bool = True) -> None:
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    picture.convert("RGB").save(FOLDER / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
