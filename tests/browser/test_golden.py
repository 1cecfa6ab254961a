"""Five views of the page look as they did (GOLDEN=new keeps what they look like now).

Compared small and soft, so that another machine's fonts do not matter, but a lost picture or a broken layout does.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from testing.pictures import encoded
from tests.browser.conftest import Visitor
from tests.browser.steps import generate, take_sample

FOLDER = Path(__file__).with_name("golden")
WIDTH = 120
"""Pixels of a golden picture."""
MOST = 7.0
"""Mean difference of brightness, of 255, that is passed over."""
LARGE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def start(page: Page) -> None:
    page.wait_for_load_state("networkidle")


def cut_out(page: Page) -> None:
    take_sample(page)
    page.wait_for_load_state("networkidle")


def results(page: Page) -> None:
    take_sample(page)
    generate(page)
    page.wait_for_load_state("networkidle")


def editor(page: Page) -> None:
    plain = encoded(np.full((250, 300, 3), 150, np.uint8))  # ads differ from run to run
    page.route("**/static/*/generated/*", lambda route: route.fulfill(body=plain, content_type="image/png"))
    results(page)
    page.locator(".edit").first.click()
    page.wait_for_selector("#edit-picture canvas:not([width='0'])")


def status(page: Page) -> None:
    page.click("nav a[href='#status']")
    expect(page.locator("#engines li").first).to_be_visible()


VIEWS: dict[str, tuple[Callable[[Page], None], dict[str, Any]]] = {
    "start": (start, {"viewport": LARGE}),
    "start_phone": (start, {"viewport": PHONE, "locale": "zh-TW", "color_scheme": "dark"}),
    "cut_out": (cut_out, {"viewport": LARGE, "locale": "zh-TW"}),
    "editor": (editor, {"viewport": LARGE, "color_scheme": "dark"}),
    "status": (status, {"viewport": LARGE}),
}


def seen(page: Page) -> NDArray[np.float32]:
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("L")
    small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_it_did(visitor: Visitor, name: str) -> None:
    reach, options = VIEWS[name]
    with visitor.visiting(reduced_motion="reduce", **options) as page:
        reach(page)
        now = seen(page)
    golden = FOLDER / f"{name}.png"
    if os.environ.get("GOLDEN") == "new":
        FOLDER.mkdir(exist_ok=True)
        Image.fromarray(now.astype(np.uint8)).save(golden)
    before = np.asarray(Image.open(golden), np.float32)
    assert now.shape == before.shape
    assert float(np.abs(now - before).mean()) < MOST


def test_the_golden_views_tell_pages_apart() -> None:
    views = [np.asarray(Image.open(FOLDER / f"{name}.png"), np.float32) for name in VIEWS if name != "start_phone"]
    for number, one in enumerate(views):
        for other in views[number + 1 :]:
            assert float(np.abs(one - other).mean()) > 1.5 * MOST
