"""The demo: send the sample photo through the public REST API and write the results to out/."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from cli.ports import ROOT, Ports
from cli.supervisor import Processes, Say, check_installed, running

SAMPLE = ROOT / "gateway" / "web" / "sample.jpg"
OUT = Path("out")
LOG = OUT / "demo.log"
FORM = {
    "product_name": "TrailMate",
    "product_describe": "Keeps drinks cold for 24 hours, hot for 12. Stainless steel, with a loop for one finger.",
    "target_audience": "female,25-34,outdoor",
    "locale": "en",
    "layout": "auto",
}


async def demo(say: Say) -> None:
    """Run the demo.

    Raises:
        LocalError: The processes could not be started.
        httpx.HTTPError: A request to the gateway failed.
    """
    check_installed()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with LOG.open("w", encoding="utf-8") as log, tempfile.TemporaryDirectory() as store:
        say("starting the five processes on free ports ...")
        start = time.perf_counter()
        # Whatever is configured, the demo never writes to a real history.
        environment = {"HISTORY_STORE": "disk", "HISTORY_DISK_DIR": store}
        async with running(Ports.free(), environment, lambda line: print(line, file=log, flush=True)) as processes:
            say(f"ready after {time.perf_counter() - start:.1f} s")
            await _make_ads(processes, say)
    say(f"the processes are stopped; their log is {LOG}")


async def _make_ads(processes: Processes, say: Say) -> None:
    async with httpx.AsyncClient(base_url=processes.url, trust_env=False, timeout=300) as client:
        start = time.perf_counter()
        files = {"product_image": (SAMPLE.name, SAMPLE.read_bytes(), "image/jpeg")}
        upload = _body(await client.post("/api/upload-image", files=files))
        say(f"cut out in {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        record = _body(await client.post("/api/generate-product", data=form))
        say(f"three ads and two texts in {time.perf_counter() - start:.1f} s")
        shutil.copy(SAMPLE, OUT / "photo.jpg")
        await _save(client, upload["trans_path"], OUT / "cutout.png")
        for path in record["generated_images"]:
            await _save(client, path, OUT / f"ad_{path.rpartition('_')[2]}")
    (OUT / "short_ad.txt").write_text(record["short_ad"] + "\n", encoding="utf-8")
    (OUT / "long_ad.txt").write_text(record["long_ad"] + "\n", encoding="utf-8")
    (OUT / "record.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    ads = [OUT / f"ad_{path.rpartition('_')[2]}" for path in record["generated_images"]]
    from cli.overview import write_overview  # needs Pillow, which the rest of the CLI does not

    write_overview(OUT / "photo.jpg", OUT / "cutout.png", ads, OUT / "overview.jpg")
    _report(record, say)


def _body(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


async def _save(client: httpx.AsyncClient, path: str, target: Path) -> None:
    answer = await client.get(f"/static/{path}")
    answer.raise_for_status()
    target.write_bytes(answer.content)


def _report(record: dict[str, Any], say: Say) -> None:
    engines = record["engines"]
    say("")
    say(f"  photo      {OUT / 'photo.jpg'}")
    say(f"  cut-out    {OUT / 'cutout.png'}  by {engines['cut_out']}")
    made_by = engines.get("composition", engines["background"])
    for ad in sorted(OUT.glob("ad_*.jpg")):
        say(f"  ad         {ad}  {made_by}")
    say(f"  texts      {OUT / 'short_ad.txt'}, {OUT / 'long_ad.txt'}  by {engines['copy']}")
    say(f"  record     {OUT / 'record.json'}")
    say(f"  all of it  {OUT / 'overview.jpg'}")
    say("")
    say(f"  {record['short_ad']}")
    say("")
