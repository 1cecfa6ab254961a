"""Pages of strangers, in a real browser, against the gateway of a visitor of theirs."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page

from testing.pictures import ball, encoded
from testing.system import FAST, System, started
from tests.browser.conftest import FLAGS

PHOTO = encoded(ball(160, 120)[0])
PAGE = b"<!doctype html><title>A page of a stranger</title><form></form>"
STRANGER = "stranger.example"

SEND_FORM = """async ([target, photo]) => {
    const form = new FormData();
    form.append("product_image", new File([new Uint8Array(photo)], "a.png"));
    try {
        const answer = await fetch(target + "/api/upload-image", { method: "POST", mode: "no-cors", body: form });
        return answer.type;
    } catch (error) { return String(error); }
}"""
READ = """async (target) => {
    try { return await (await fetch(target + "/api/history")).text(); } catch (error) { return String(error); }
}"""


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def stranger() -> Iterator[int]:
    """Serve a page of a stranger; yield its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started(tmp_path_factory.mktemp("store"), FAST) as running:
        running.generate(running.upload(PHOTO).json(), product_name="Secret flask")
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_page_elsewhere_sends_nothing_that_counts(page: Page, shop: System, stranger: int) -> None:
    before = shop.stored()
    target = str(shop.client.base_url).rstrip("/")
    for host in ("127.0.0.1", "localhost"):
        page.goto(f"http://{host}:{stranger}/")
        page.evaluate(SEND_FORM, [target, list(PHOTO)])
    assert shop.stored() == before
    page.evaluate(
        """(target) => {
            const form = document.querySelector("form");
            Object.assign(form, { method: "post", enctype: "multipart/form-data", action: target + "/api/generate-product" });
            form.innerHTML = '<input name="product_name" value="x"><input name="timestamp" value="20200101000000">';
            form.submit();
        }""",
        target,
    )
    page.wait_for_url(f"{target}/**")
    assert "may not use the API" in page.content()
    assert shop.stored() == before


def test_a_page_elsewhere_reads_nothing(page: Page, shop: System, stranger: int) -> None:
    page.goto(f"http://localhost:{stranger}/")
    assert "Secret" not in page.evaluate(READ, str(shop.client.base_url).rstrip("/"))


def test_a_name_of_a_stranger_that_leads_here_shows_nothing(browser: Browser, shop: System) -> None:
    """DNS rebinding: the stranger's own name, in the end, has the address of the visitor's machine."""
    port = shop.client.base_url.port
    flags = [*FLAGS, f"--host-resolver-rules=MAP {STRANGER} 127.0.0.1"]
    rebound = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=flags)
    try:
        opened = rebound.new_context().new_page()
        answer = opened.goto(f"http://{STRANGER}:{port}/api/history")
        assert answer is not None
        assert answer.status == 421
        assert "Secret" not in opened.content()
    finally:
        rebound.close()
