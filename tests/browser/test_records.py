"""The history and the status on the page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from services.history.records.log import RecordLog
from services.history.storage.disk import DiskStore
from testing.system import FAST, System, started
from tests.browser.conftest import NARROW, WIDE, Visitor
from tests.browser.steps import chosen

MANY_TIMES = 14
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


@pytest.fixture(scope="module")
def system_of_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Start a system with many records of one product, and one of another."""
    store = tmp_path_factory.mktemp("store")
    with started(store, FAST) as running:
        first: dict[str, Any] = running.generate(running.upload().json(), product_name="Other").json()
        ledger = RecordLog(DiskStore.connect(store), attempts=5)
        for number in range(MANY_TIMES):
            name = "Kettle" if number % 2 else " kettle"
            ledger.append({**first, "request_id": f"r{number}", "product_name": name})
        yield running


@pytest.fixture
def visiting_often(browser: Browser, system_of_one: System) -> Visitor:
    return Visitor(browser, str(system_of_one.client.base_url))


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
        expect(page.locator("#history-state")).to_have_text("Nothing found: change what you look for.")
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
        dialog.locator(".how summary").click()
        for stage in record["manifest"]["stages"]:
            for digest in stage["outputs"]:
                expect(dialog).to_contain_text(digest[:8])
        page.click("#reuse")
        expect(dialog).to_be_hidden()
        assert page.locator("[name=product_name]").input_value() == "Flask 7"
        assert chosen(page, "gender") == "女性"
        sizes = page.locator("#sizes input:checked").evaluate_all("boxes => boxes.map(box => box.value)")
        assert sizes == ["300x250", "728x90"]
        expect(page.locator("#after")).to_have_js_property("naturalWidth", 640)
        page.click("#generate")
        expect(page.locator(".variant .ad img")).to_have_count(2, timeout=60_000)


def test_the_status_says_what_runs_and_how_to_better_it(visitor: Visitor) -> None:
    with visitor.visiting("/#status", locale="zh-TW") as page:
        rows = page.locator("#engines li")
        expect(rows.first).to_be_visible()
        expect(page.locator("#services .up")).to_have_count(4)
        expect(page.locator("#room")).to_have_text(re.compile(r"還可存放 \d+\.\d GB 的照片與廣告。"))
        by_name = {row.locator(".what").inner_text(): row.inner_text() for row in rows.all()}
        assert "mobile_sam" in by_name["去背"]
        assert "python -m weights fetch vit_h" in by_name["去背"]
        assert "由 templates 負責，依 GENERATION_COPY_ENGINE 的設定。" in by_name["撰寫文案"]


def test_a_store_without_records_says_so(browser: Browser, tmp_path: Path) -> None:
    with (
        started(tmp_path, FAST) as empty,
        Visitor(browser, str(empty.client.base_url)).visiting("/#history") as page,
    ):
        expect(page.locator("#history-state")).to_have_text("Nothing here yet: create your first ads.")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_ads_of_one_product_are_together(visiting_often: Visitor, viewport: dict[str, int]) -> None:
    newest, oldest = MANY_TIMES, 1
    with visiting_often.visiting("/#history", viewport=viewport) as page:
        expect(page.locator("#records .name")).to_have_text(["Kettle", "Other"])
        expect(page.locator("#history-state")).to_have_text(f"{MANY_TIMES + 1} shown.")
        earlier = page.locator("#records .earlier").first.get_by_role("button")
        expect(earlier).to_have_count(8)
        expect(earlier.last).to_have_text(f"+ {MANY_TIMES - 1 - 7}")
        earlier.last.click()
        expect(earlier).to_have_count(MANY_TIMES - 1)
        earlier.last.click()
        expect(page.locator("#record")).to_be_visible()
        assert page.url.endswith(f"#record/{oldest}")
        page.keyboard.press("Escape")
        page.locator("#records .open").first.click()
        assert page.url.endswith(f"#record/{newest}")
        page.click("#delete")
        expect(earlier).to_have_count(MANY_TIMES - 2)
        page.locator(".toast button").click()
        expect(earlier).to_have_count(MANY_TIMES - 1)
        page.locator("#records .open").first.click()
        assert page.url.endswith(f"#record/{newest}"), "it is the first again"


def test_the_history_is_filtered(reader: Visitor) -> None:
    with reader.visiting("/#history") as page:
        names = page.locator("#records .name")
        expect(names.first).to_be_visible()
        shown = names.count()
        page.select_option("[name=for]", "男性")
        expect(names).to_have_count(0)
        page.select_option("[name=for]", "女性")
        expect(names).to_have_count(shown)
        page.fill("[name=until]", "2020-01-01")
        expect(names).to_have_count(0)
        expect(page.locator("#history-state")).to_have_text("Nothing found: change what you look for.")
        page.fill("[name=until]", "")
        page.fill("[name=since]", "2020-01-01")
        expect(names).to_have_count(shown)


def test_favourites_are_kept(reader: Visitor) -> None:
    with reader.visiting("/#history") as page:
        page.fill("[name=query]", "Flask 5")
        expect(page.locator("#records .name")).to_have_text(["Flask 5"])
        page.locator("#records button").click()
        star = page.locator("#record .favourite")
        expect(star).to_have_attribute("aria-pressed", "false")
        star.click()
        expect(star).to_have_attribute("aria-pressed", "true")
        page.click("#close")
        expect(page).to_have_url(re.compile("#history$"))
        page.reload()
        page.check("[name=favourites]")
        expect(page.locator("#records .name")).to_have_text(["★ Flask 5"])
        page.locator("#records button").click()
        star.click()
        page.click("#close")
        page.uncheck("[name=favourites]")
        page.check("[name=favourites]")
        expect(page.locator("#records .name")).to_have_count(0)


def test_a_deleted_record_can_be_had_back_for_some_seconds(reader: Visitor, full: System) -> None:
    def stored() -> int:
        return len(full.client.get("/api/records", params={"query": "Flask 9"}).json()["records"])

    with reader.visiting("/#history") as page:
        page.fill("[name=query]", "Flask 9")
        names = page.locator("#records .name")
        expect(names).to_have_text(["Flask 9"])
        page.locator("#records button").click()
        page.click("#delete")
        expect(page.locator("#record")).to_be_hidden()
        expect(names).to_have_count(0)
        expect(page.locator(".toast button")).to_be_focused()
        page.keyboard.press("Enter")
        expect(names).to_have_text(["Flask 9"])
        assert stored() == 1
        page.locator("#records button").click()
        page.click("#delete")
        expect(page.locator("#history-state")).to_have_text("Nothing found: change what you look for.")
        expect(page.locator(".toast")).to_have_count(0, timeout=15_000)
    assert stored() == 0


def test_what_is_being_deleted_when_the_page_is_left_is_deleted(reader: Visitor, full: System) -> None:
    with reader.visiting("/#history", expects_errors=True) as page:  # the test before has taken the pictures away
        page.fill("[name=query]", "Flask 6")
        expect(page.locator("#records .name")).to_have_text(["Flask 6"])
        page.locator("#records button").click()
        page.click("#delete")
        page.goto("about:blank")
        page.wait_for_timeout(1000)
    assert full.client.get("/api/records", params={"query": "Flask 6"}).json()["records"] == []


def test_a_link_to_what_is_not_there_says_so_beside_the_list(reader: Visitor) -> None:
    with reader.visiting("/#record/99999", expects_errors=True) as page:
        expect(page.locator("#records .name")).to_have_count(20)
        expect(page.locator("#history-error")).to_contain_text("There are no such ads")
        expect(page.locator("#history-state")).to_contain_text("20 shown")
        expect(page.locator("#record")).to_be_hidden()
