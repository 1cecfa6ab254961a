"""What a visitor sees when something goes wrong, and that nothing is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from gateway.api_keys import digest_of, new_key
from testing.pictures import SAMPLE, encoded
from testing.system import FAST, System, started
from tests.browser.conftest import Visitor
from tests.browser.steps import describe_product, generate, take_sample

KEY = new_key()


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[System]:
    """Start a system that a test may break."""
    with started(tmp_path, FAST) as running:
        yield running


@contextmanager
def held(process: int) -> Iterator[None]:
    """Suspend a process."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def still_typed(page: Page) -> None:
    assert page.locator("[name=product_name]").input_value() == "TrailMate"
    assert page.locator("[name=product_describe]").input_value() == "Keeps drinks cold for 24 hours"
    expect(page.locator("#compare")).to_be_visible()
    expect(page.locator("#generate")).to_be_enabled()


def test_a_refused_photo_says_why_where_it_was_chosen(visitor: Visitor) -> None:
    with visitor.visiting(expects_errors=True) as page:
        describe_product(page)
        page.set_input_files("#photo", {"name": "notes.png", "mimeType": "image/png", "buffer": b"just words"})
        error = page.locator("#photo-error")
        expect(error).to_contain_text("cannot be read as a picture: choose a JPEG, PNG, WebP, HEIC")
        page.select_option("#language", "zh-TW")
        expect(error).to_contain_text("無法讀取這個圖片檔")
        expect(page.locator("#compare")).to_be_hidden()
        page.set_input_files("#list", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"name\na\n"})
        expect(page.locator("#audience-error")).to_contain_text("uid")
        page.select_option("#language", "en")
        take_sample(page)
        expect(error).to_be_hidden()
        still_typed(page)


def test_what_is_missing_is_named_before_anything_is_sent(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        page.click("#generate")
        expect(page.locator("#name-error")).to_have_text("Enter a product name.")
        expect(page.locator("[name=product_name]")).to_be_focused()
        page.fill("[name=product_name]", "TrailMate")
        page.click("#generate")
        expect(page.locator("#run-error")).to_have_text("Choose a photo first.")


def test_no_ads_are_made_of_the_photo_before(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        describe_product(page)
        with held(system.pids["segmentation"]):
            page.set_input_files("#photo", SAMPLE)
            expect(page.locator("#photo-busy")).to_be_visible()
            expect(page.locator("#compare")).to_be_hidden()
            page.click("#generate")
            expect(page.locator("#run-error")).to_contain_text("still being cut out")
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        expect(page.locator("#photo-busy")).to_be_hidden()
        still_typed(page)


def test_marks_on_nothing_leave_the_cutout(visitor: Visitor) -> None:
    with visitor.visiting(expects_errors=True) as page:
        take_sample(page)
        page.route("**/api/cut-out", lambda route: route.abort())
        page.focus("#picture")
        page.keyboard.press("Enter")
        expect(page.locator("#recut-error")).to_contain_text("cannot be reached")
        expect(page.locator("#after")).to_have_js_property("naturalWidth", 1200)


def test_a_photo_in_which_nothing_is_found_is_marked(visitor: Visitor, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    plain.write_bytes(encoded(np.full((300, 400, 3), 250, np.uint8)))
    with visitor.visiting(expects_errors=True) as page:
        take_sample(page)
        page.set_input_files("#photo", plain)
        expect(page.locator("#photo-error")).to_have_attribute("data-t", "recut.mark", timeout=30_000)
        expect(page.locator("#after")).to_have_js_property("naturalWidth", 400)
        describe_product(page)
        page.click("#generate")
        expect(page.locator("#run-error")).to_have_attribute("data-t", "run.photo")
        expect(page.locator("#undo")).to_be_disabled()


def test_a_run_can_be_cancelled(visitor: Visitor, system: System) -> None:
    before = len(system.client.get("/api/history").json())
    with visitor.visiting() as page:
        take_sample(page)
        describe_product(page)
        with held(system.pids["generation"]):
            page.click("#generate")
            expect(page.locator("#stages .started")).to_have_count(1)
            page.click("#cancel")
            expect(page.locator("#run-state")).to_contain_text("Cancelled. Nothing was kept")
            expect(page.locator("#stages .stopped")).to_have_count(1)
            expect(page.locator("#cancel")).to_be_hidden()
        still_typed(page)
        generate(page)
    assert len(system.client.get("/api/history").json()) == before + 1, "the one that was cancelled left nothing"


def test_leaving_during_a_run_warns(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        warnings: list[str] = []

        def stay(dialog: Dialog) -> None:
            warnings.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        take_sample(page)
        describe_product(page)
        with held(system.pids["generation"]):
            page.click("#generate")
            expect(page.locator("#stages .started")).to_have_count(1)
            page.close(run_before_unload=True)
            page.wait_for_timeout(500)
        assert warnings == ["beforeunload"]
        expect(page.locator("#run-state")).to_have_attribute("data-t", "run.done", timeout=60_000)


def test_a_service_that_dies_in_a_run_is_named(browser: Browser, doomed: System) -> None:
    with Visitor(browser, str(doomed.client.base_url)).visiting(expects_errors=True) as page:
        take_sample(page)
        describe_product(page)
        os.kill(doomed.pids["generation"], signal.SIGSTOP)
        page.click("#generate")
        expect(page.locator("#stages .started")).to_have_count(1)
        os.kill(doomed.pids["generation"], signal.SIGKILL)
        expect(page.locator("#run-error")).to_contain_text("A service is not available right now", timeout=60_000)
        still_typed(page)
        page.click("nav a[href='#status']")
        expect(page.locator("#services .down")).to_have_text("Generation not available")
        expect(page.locator("#services .up")).to_have_count(3)


def test_a_server_that_is_gone_is_named(browser: Browser, doomed: System) -> None:
    with Visitor(browser, str(doomed.client.base_url)).visiting(expects_errors=True) as page:
        take_sample(page)
        describe_product(page)
        with held(doomed.pids["generation"]):
            page.click("#generate")
            expect(page.locator("#stages .started")).to_have_count(1)
            os.kill(doomed.pids["gateway"], signal.SIGKILL)
            expect(page.locator("#run-error")).to_contain_text("The connection was lost: try again")
        still_typed(page)
        page.click("#generate")
        expect(page.locator("#run-error")).to_contain_text("The server cannot be reached")
        still_typed(page)


def test_a_key_is_asked_for_where_one_is_needed(browser: Browser, tmp_path: Path) -> None:
    keys = f'{{"shop": "{digest_of(KEY)}"}}'
    with (
        started(tmp_path, FAST | {"GATEWAY_API_KEYS": keys}) as closed,
        browser.new_context(base_url=str(closed.client.base_url), locale="en-GB") as context,
    ):
        page = context.new_page()
        page.goto("/#history")
        expect(page.locator("#key")).to_be_visible()
        page.fill("#key input", "wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#history-error")).to_contain_text("The key is missing or wrong")
        page.reload()
        page.fill("#key input", KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#history-state")).to_have_attribute("data-t", "history.none")
        page.click("nav a[href='#create']")
        take_sample(page)
        assert KEY not in "\n".join(closed.lines)
