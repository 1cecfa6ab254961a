"""How fast the page is on a slow phone, and its editor: what is loaded, and when there is something to see.

A phone is simulated as in Lighthouse's mobile runs: a round trip of 150 ms, 1.6 Mbit/s, and a processor four times
slower than this one. The reference of every ratio is the same page without the slow line and the slow processor.

    python -m bench.page [RUNS]
"""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from testing.system import System, started

PHONE: ViewportSize = {"width": 390, "height": 844}
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
SLOWER = 4
LOOK = """() => new Promise(resolve => {
    const found = { long: 0, shift: 0 };
    const watch = (type, take) =>
        new PerformanceObserver(list => list.getEntries().forEach(take)).observe({ type, buffered: true });
    watch("longtask", task => { found.long += Math.max(0, task.duration - 50); });
    watch("layout-shift", shift => { found.shift += shift.value; });
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const bytes = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const transferred = bytes.reduce((sum, one) => sum + one.transferSize, 0);
    setTimeout(() => resolve({ ...found, content: paint.startTime, transferred, requests: bytes.length }), 300);
})"""
DRAG = """() => new Promise(resolve => {
    const picture = document.querySelector("#edit-picture");
    const frame = picture.getBoundingClientRect();
    const at = { clientX: frame.x + frame.width / 2, clientY: frame.y + frame.height / 2, buttons: 1, bubbles: true };
    const times = [];
    const step = () => {
        const start = performance.now();
        picture.dispatchEvent(new PointerEvent("pointermove", { ...at, movementX: 3, movementY: 1 }));
        requestAnimationFrame(() => requestAnimationFrame(() => {
            times.push(performance.now() - start);
            if (times.length < 30) step(); else resolve(Math.max(...times));
        }));
    };
    step();
})"""


def main(runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), {}) as system, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        loads = {
            name: [_load(browser, system, slow=name == "phone") for _ in range(runs)] for name in ("here", "phone")
        }
        drag = _drag(browser, system)
        browser.close()

    def middle(name: str, what: str) -> float:
        return float(statistics.median(one[what] for one in loads[name]))

    result = {
        "transferred_kB": round(middle("phone", "transferred") / 1000, 1),
        "requests": middle("phone", "requests"),
        "first_content_ms": round(middle("phone", "content")),
        "first_content_ratio": round(middle("phone", "content") / middle("here", "content"), 2),
        "blocked_ms": round(middle("phone", "long")),
        "layout_shift": round(middle("phone", "shift"), 4),
        "preview_ms": round(drag, 1),
    }
    for name, value in result.items():
        print(f"{name:22} {value:>9}")
    print(json.dumps(result))


def _open(browser: Browser, system: System, *, slow: bool) -> Page:
    context = browser.new_context(base_url=str(system.client.base_url), locale="en-GB", viewport=PHONE)
    page = context.new_page()
    if slow:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", LINE)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto("/")
    page.wait_for_load_state("networkidle")
    return page


def _load(browser: Browser, system: System, *, slow: bool) -> dict[str, Any]:
    page = _open(browser, system, slow=slow)
    found: dict[str, Any] = page.evaluate(LOOK)
    page.context.close()
    return found


def _drag(browser: Browser, system: System) -> float:
    """Return the milliseconds from a move of the pointer to the picture that shows it, the worst of thirty."""
    made = system.generate(system.upload().json(), sizes="1080x1080").json()
    page = _open(browser, system, slow=False)
    page.goto(f"/#record/{made['sequence']}")
    page.locator(".edit").first.click()
    page.wait_for_selector("#edit-picture canvas:not([width='0'])")
    worst: float = page.evaluate(DRAG)
    page.context.close()
    return worst


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
