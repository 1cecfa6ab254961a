"""`python -m docs.examples`: make the pictures of the page's examples (needs chromium).

Each is a small photo, and an ad of it in each language.
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from docs.screenshots import MADE_MS, opened, take_example
from testing.samples.__main__ import FOLDER, SAMPLES
from testing.system import started

SIZE = "300x250"
LOCALES = {"en": "en-GB", "zh": "zh-TW"}
HEIGHT = 200
QUALITY = 80


def main() -> None:
    """Make them."""
    for photo in SAMPLES:
        _keep((FOLDER / f"{photo}.jpg").read_bytes(), f"{_name(photo)}_small")
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), {}) as system,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for language, locale in LOCALES.items():
            for photo in SAMPLES:
                page = opened(browser, str(system.client.base_url), locale=locale)
                path = _ad_of(page, _name(photo))
                _keep(system.client.get(path).content, f"{_name(photo)}_{language}")
                page.close()
        browser.close()


def _name(photo: str) -> str:
    return "bottle" if photo == "sample" else photo


def _ad_of(page: Page, example: str) -> str:
    take_example(page, example)
    for box in page.locator("#sizes input, #platforms input").all():
        box.evaluate("(box, size) => { box.checked = box.value === size; }", SIZE)
    page.click("#generate")
    page.wait_for_selector(".variant", timeout=MADE_MS)
    return page.locator(".ad img").get_attribute("src") or ""


def _keep(file: bytes, name: str) -> None:
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    width = round(picture.width * HEIGHT / picture.height)
    picture.resize((width, HEIGHT), Image.Resampling.LANCZOS).save(FOLDER / f"{name}.webp", quality=QUALITY)


if __name__ == "__main__":
    main()
