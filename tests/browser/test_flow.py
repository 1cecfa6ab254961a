"""From the photo to the ads with a mouse."""

import io
import json
import re
import zipfile

from playwright.sync_api import Page, expect

from testing.pictures import SAMPLE, ball, decoded, encoded
from testing.system import System
from tests.browser.conftest import Visitor, throttled
from tests.browser.steps import CSV, chosen, describe_product, generate, take_sample
from tests.browser.steps import SAMPLE as EXAMPLE


def natural_size(page: Page, selector: str) -> list[int]:
    size: list[int] = page.locator(selector).evaluate("image => [image.naturalWidth, image.naturalHeight]")
    return size


def opaque_share(system: System, page: Page) -> float:
    """Return the fraction of the photo that the cutout shows."""
    path = page.locator("#after").get_attribute("src")
    assert path is not None
    return float((decoded(system.client.get(path).content)[..., 3] > 127).mean())


def test_a_photo_is_cut_out_and_compared(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        page.set_input_files("#photo", SAMPLE)
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        expect(page.locator("#after")).to_have_js_property("complete", True)
        assert natural_size(page, "#after") == natural_size(page, "#before") == [1200, 1200]
        before = page.locator("#before")
        expect(before).to_have_css("clip-path", "inset(0px 100% 0px 0px)")
        page.locator("#split").fill("40")
        expect(before).to_have_css("clip-path", "inset(0px 60% 0px 0px)")
        handle, picture = (page.locator(place).bounding_box() for place in ("#handle span", "#picture"))
        assert handle is not None
        assert picture is not None
        middle = handle["y"] + handle["height"] / 2
        page.mouse.move(handle["x"] + handle["width"] / 2, middle)
        page.mouse.down()
        page.mouse.move(picture["x"] + 0.7 * picture["width"], middle, steps=4)
        page.mouse.up()
        assert abs(int(page.locator("#split").input_value()) - 70) <= 1
        expect(page.locator("#recut-state")).to_be_empty()


def test_a_dropped_photo_is_taken(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        data = page.evaluate_handle(
            """bytes => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], "ball.png", { type: "image/png" }));
                return transfer;
            }""",
            list(encoded(ball(200, 200)[0])),
        )
        page.dispatch_event("#drop", "drop", {"dataTransfer": data})
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)


def test_marks_change_the_cutout(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        whole = opaque_share(system, page)
        frame = page.locator("#picture").bounding_box()
        assert frame is not None
        state = page.locator("#recut-state")
        # A box around the lid only.
        page.mouse.move(frame["x"] + frame["width"] * 0.38, frame["y"] + frame["height"] * 0.1)
        page.mouse.down()
        page.mouse.move(frame["x"] + frame["width"] * 0.64, frame["y"] + frame["height"] * 0.33, steps=4)
        page.mouse.up()
        expect(page.locator("#prompts .box")).to_have_count(1)
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        expect(page.locator("#prompts > *")).to_have_count(0)
        lid = opaque_share(system, page)
        assert lid < whole / 2
        page.click("#undo")
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        assert abs(opaque_share(system, page) - whole) < 0.01
        expect(page.locator("#undo")).to_be_disabled()
        page.click("#redo")
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        assert opaque_share(system, page) == lid
        page.click("#start-over")
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        assert abs(opaque_share(system, page) - whole) < 0.01
        page.click("#picture", position={"x": frame["width"] * 0.5, "y": frame["height"] * 0.55})
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        assert abs(opaque_share(system, page) - whole) < 0.01, "a click on a part of the product leaves the product"


def test_the_brush_paints_in_and_out(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        whole = opaque_share(system, page)
        state = page.locator("#recut-state")

        def paint(tool: str, *places: tuple[float, float]) -> float:
            page.check(f"[name=tool][value={tool}]")
            page.locator("#picture").scroll_into_view_if_needed()
            frame = page.locator("#picture").bounding_box()
            assert frame is not None
            points = [(frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y) for x, y in places]
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=5)
            expect(page.locator("#prompts .stroke")).to_have_count(1)
            page.mouse.up()
            expect(page.locator("#prompts .stroke")).to_have_count(0, timeout=20_000)
            expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
            return opaque_share(system, page)

        more = paint("brush-product", (0.05, 0.1), (0.25, 0.1))
        assert 0.005 < more - whole < 0.03, "a line as long as a fifth of the photo and as wide as a twentieth"
        less = paint("brush-other", (0.3, 0.6), (0.7, 0.6))
        assert less < more - 0.005
        page.click("#undo")
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)
        page.wait_for_timeout(300)
        assert opaque_share(system, page) == more
        page.focus("#picture")
        page.keyboard.press("Enter")
        expect(page.locator("#prompts .stroke")).to_have_count(0, timeout=20_000)
        expect(state).to_have_attribute("data-t", "recut.done", timeout=20_000)


def test_of_marks_in_a_hurry_the_last_count(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        whole = opaque_share(system, page)
        for _ in range(3):
            page.check("[name=tool][value=box]")
            page.focus("#picture")
            for key in ("ArrowLeft", "ArrowUp", "Enter", "ArrowRight", "ArrowDown", "Enter"):
                page.keyboard.press(key)
            page.click("#undo")
        expect(page.locator("#recut-state")).to_have_attribute("data-t", "recut.done", timeout=20_000)
        page.wait_for_timeout(1500)  # an earlier cut still in progress would finish in this time
        assert abs(opaque_share(system, page) - whole) < 0.01


def test_a_list_chooses_the_audience(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        page.set_input_files("#list", {"name": "users.csv", "mimeType": "text/csv", "buffer": CSV})
        expect(page.locator(".chart")).to_have_count(3)
        for category in ("gender", "age", "interest"):
            counts = page.locator(f".chart:has([data-t='audience.{category}']) li")
            numbers = [int(bar.locator(".count").inner_text()) for bar in counts.all()]
            most = counts.nth(numbers.index(max(numbers))).locator(".name").get_attribute("data-tag")
            assert chosen(page, category) == (most if numbers.count(max(numbers)) == 1 else "不限")


def test_a_tie_in_a_list_is_told(visitor: Visitor, system: System) -> None:
    people = system.client.post("/api/upload-audience", files={"file": ("a.csv", CSV)}).json()["gender_data"]
    assert max(people["values"]) > 0
    tied = {**people, "values": [3 for _ in people["labels"]]}
    counts = {"gender_data": tied, "age_data": people | {"values": [0]}, "interest_data": people | {"values": [0]}}
    with visitor.visiting() as page:
        page.route("**/api/upload-audience", lambda route: route.fulfill(json=counts))
        page.set_input_files("#list", {"name": "users.csv", "mimeType": "text/csv", "buffer": CSV})
        expect(page.locator("#audience-ties")).to_have_text("These groups are tied, so everybody is chosen: Gender.")
        assert chosen(page, "gender") == "不限"


def test_ads_are_made_shown_and_taken_away(visitor: Visitor, system: System) -> None:
    with visitor.visiting(accept_downloads=True, permissions=["clipboard-read", "clipboard-write"]) as page:
        take_sample(page)
        describe_product(page)
        generate(page)
        for stage in page.locator("#stages li").all():
            assert re.search(r"\d\.\d\d s$", stage.text_content() or "")
        engines = page.locator("#stages .engine").all_text_contents()
        assert {"templates", "set"} <= set(engines)
        assert page.locator("#bar").get_attribute("value") == "1"
        ads = page.locator(".variant .ad img")
        expect(ads).to_have_count(3)
        for ad, size in zip(ads.all(), ([300, 250], [320, 480], [336, 280]), strict=True):
            ad.scroll_into_view_if_needed()
            expect(ad).to_have_js_property("naturalWidth", size[0])
            width, height = ad.evaluate("image => [image.clientWidth, image.clientHeight]")
            assert height == min(size[1], 340)
            assert abs(width / height - size[0] / size[1]) < 0.01
            assert ad.get_attribute("alt") == f"Ad for TrailMate, {size[0]} × {size[1]}"
        record = system.client.get("/api/records").json()["records"][0]
        page.locator(".text button").first.click()
        expect(page.locator(".text button").first).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == record["short_ad"]
        with page.expect_download() as one:
            page.locator(".ad a").first.click()
        assert one.value.path().read_bytes() == system.client.get(f"/static/{record['generated_images'][0]}").content
        with page.expect_download() as everything:
            page.locator(".archive").click()
        packed = zipfile.ZipFile(io.BytesIO(everything.value.path().read_bytes()))
        assert len([name for name in packed.namelist() if name.endswith(".jpg")]) == 3
        assert packed.read("short_ad.txt").decode() == record["short_ad"] + "\n"
        assert json.loads(packed.read("record.json"))["manifest"]["stages"]
        page.click("#again")
        expect(page.locator(".variant")).to_have_count(2, timeout=60_000)
        assert "Variant 2" in page.locator(".variant h3").first.inner_text()
        seeds = re.findall(r"seed (\d+)", page.locator("#variants").text_content() or "")
        assert len(set(seeds)) == 2
        first, second = (variant.bounding_box() for variant in page.locator(".variant").all())
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"], "they stand side by side"


def test_sizes_language_and_background_can_be_chosen(visitor: Visitor, system: System) -> None:
    with visitor.visiting() as page:
        take_sample(page)
        describe_product(page)
        page.click("#sizes-summary")
        for box in page.locator("#sizes input").all():
            box.uncheck()
        page.click("#generate")
        expect(page.locator("#run-error")).to_have_text("Choose at least one size.")
        page.check("#sizes input[value='728x90']")
        page.select_option("[name=locale]", "zh-TW")
        room = encoded(ball(900, 700)[0])
        page.set_input_files("#background", {"name": "room.png", "mimeType": "image/png", "buffer": room})
        generate(page)
        expect(page.locator(".ad img")).to_have_count(1)
        record = system.client.get("/api/records").json()["records"][0]
        assert record["generated_images"][0].endswith("_728x90.jpg")
        assert re.search("[一-鿿]", record["short_ad"])
        assert not record["prompts"]


def test_a_slow_line_is_no_obstacle(visitor: Visitor) -> None:
    with visitor.visiting() as page:
        throttled(page.context, page)
        page.reload()
        page.click(EXAMPLE)
        expect(page.locator("#photo-busy")).to_be_visible()
        expect(page.locator("#compare")).to_be_visible(timeout=30_000)
        expect(page.locator("#photo-busy")).to_be_hidden()
