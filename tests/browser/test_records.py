"""The history and the status on the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from services.history.records.log import RecordLog
from services.history.storage.disk import DiskStore
from testing.system import FAST, System, started
from tests.browser.conftest import Visitor

NUMBER = 45


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Start a system with many records, all of the same pictures."""
    store = tmp_path_factory.mktemp("store")
    with started(store, FAST) as running:
        answer = running.generate(running.upload().json(), product_name="Flask 0", sizes="300x250,728x90")
        first: dict[str, Any] = answer.json()
        ledger = RecordLog(DiskStore.connect(store), attempts=5)
        for number in range(1, NUMBER):
            ledger.append({**first, "request_id": f"r{number}", "product_name": f"Flask {number}"})
        yield running


@pytest.fixture
def reader(browser: Browser, full: System) -> Visitor:
    return Visitor(browser, str(full.client.base_url))


def test_the_newest_come_first_a_page_at_a_time(reader: Visitor) -> None:
    with reader.visiting("/#history") as page:
        names = page.locator("#records .name")
        expect(names).to_have_count(20)
        assert names.first.inner_text() == f"Flask {NUMBER - 1}"
        expect(page.locator("#records img").first).to_have_js_property("naturalWidth", 300)
        page.click("#more")
        expect(names).to_have_count(40)
        page.click("#more")
        expect(names).to_have_count(NUMBER)
        expect(page.locator("#more")).to_be_hidden()
        assert names.all_inner_texts() == [f"Flask {number}" for number in reversed(range(NUMBER))]


def test_it_can_be_searched(reader: Visitor) -> None:
    with reader.visiting("/#history") as page:
        page.fill("[name=query]", "fLASK 12")
        expect(page.locator("#records .name")).to_have_text(["Flask 12"])
        page.fill("[name=query]", "kettle")
        expect(page.locator("#history-state")).to_have_text("Nothing found for “kettle”.")
        page.fill("[name=query]", "")
        expect(page.locator("#records .name")).to_have_count(20)


def test_one_can_be_opened_and_its_inputs_used_again(reader: Visitor, full: System) -> None:
    with reader.visiting("/#history") as page:
        page.fill("[name=query]", "Flask 7")
        expect(page.locator("#records .name")).to_have_text(["Flask 7"])
        page.locator("#records button").click()
        record = full.client.get("/api/records", params={"query": "Flask 7"}).json()["records"][0]
        dialog = page.locator("#record")
        for text in (record["short_ad"], record["long_ad"], record["product_describe"], str(record["seed"])):
            expect(dialog).to_contain_text(text)
        dialog.locator("summary").click()
        for stage in record["manifest"]["stages"]:
            for digest in stage["outputs"]:
                expect(dialog).to_contain_text(digest[:8])
        page.click("#reuse")
        expect(dialog).to_be_hidden()
        assert page.locator("[name=product_name]").input_value() == "Flask 7"
        assert page.locator("[name=gender]").input_value() == "女性"
        chosen = page.locator("#sizes input:checked").evaluate_all("boxes => boxes.map(box => box.value)")
        assert chosen == ["300x250", "728x90"]
        expect(page.locator("#after")).to_have_js_property("naturalWidth", 640)
        page.click("#generate")
        expect(page.locator(".variant .ad img")).to_have_count(2, timeout=60_000)


def test_the_status_says_what_runs_and_how_to_better_it(visitor: Visitor) -> None:
    with visitor.visiting("/#status", locale="zh-TW") as page:
        rows = page.locator("#engines tr")
        expect(rows.first).to_be_visible()
        expect(page.locator("#services .up")).to_have_count(4)
        by_name = {row.locator("th").inner_text(): row.inner_text() for row in rows.all()}
        assert "mobile_sam" in by_name["去背"]
        assert "python -m weights fetch vit_h" in by_name["去背"]
        assert "由 GENERATION_COPY_ENGINE 指定" in by_name["撰寫文案"]


def test_a_store_without_records_says_so(browser: Browser, tmp_path: Path) -> None:
    with (
        started(tmp_path, FAST) as empty,
        Visitor(browser, str(empty.client.base_url)).visiting("/#history") as page,
    ):
        expect(page.locator("#history-state")).to_have_text("Nothing here yet: create your first ads.")


def test_one_can_be_deleted_after_a_second_thought(reader: Visitor, full: System) -> None:
    with reader.visiting("/#history") as page:
        page.fill("[name=query]", "Flask 9")
        expect(page.locator("#records .name")).to_have_text(["Flask 9"])
        page.locator("#records button").click()
        expect(page.locator("#sure")).to_be_hidden()
        page.click("#delete")
        expect(page.locator("#sure")).to_be_focused()
        page.click("#close")
        page.locator("#records button").click()
        expect(page.locator("#sure")).to_be_hidden()
        page.click("#delete")
        page.click("#sure")
        expect(page.locator("#record")).to_be_hidden()
        expect(page.locator("#history-state")).to_have_text("Nothing found for “Flask 9”.")
    assert full.client.get("/api/records", params={"query": "Flask 9"}).json()["records"] == []
