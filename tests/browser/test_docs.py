"""The API's documentation, as a developer opens it: ours alone, under the policy of its page."""

from playwright.sync_api import Browser

from tests.browser.conftest import SECONDS, Visitor


def test_it_lists_every_operation_and_asks_nobody_else(browser: Browser, visitor: Visitor) -> None:
    context = browser.new_context(base_url=visitor.url, locale="en-GB")
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    troubles: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto("/docs")
        page.wait_for_selector(".opblock-summary-path[data-path='/api/generate-product']")
        schema = context.request.get("/openapi.json").json()
        operations = sum(len(methods) for methods in schema["paths"].values())
        assert page.locator(".opblock").count() == operations
        assert not troubles, troubles
        assert [url for url in asked if not url.startswith((visitor.url, "data:"))] == []
    finally:
        context.close()
