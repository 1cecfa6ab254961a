"""The demo: the sample photo through the public REST API; what comes back goes to out/."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.local.overview import write_overview
from deploy.local.supervisor import ROOT, Ports, Processes, Say, running

SAMPLE = ROOT / "gateway" / "studio" / "sample.jpg"
OUT = ROOT / "out"
FORM = {
    "product_name": "TrailMate 保溫瓶",
    "product_describe": "24小時保冷、12小時保溫，不鏽鋼瓶身輕巧耐摔，提環杯蓋單手開啟不漏水。",
    "target_audience": "女性,25-34,戶外旅遊",
}


async def demo(say: Say) -> None:
    """Run everything once.

    Raises:
        LocalError: The processes could not be started.
        httpx.HTTPError: The gateway did not answer as it should.
    """
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with (OUT / "demo.log").open("w", encoding="utf-8") as log, tempfile.TemporaryDirectory() as store:
        say("starting the five processes on free ports ...")
        start = time.perf_counter()
        # Whatever else is configured, a demo leaves nothing in anybody's history.
        environment = {"HISTORY_STORE": "disk", "HISTORY_DISK_DIR": store}
        async with running(Ports.free(), environment, lambda line: print(line, file=log, flush=True)) as processes:
            say(f"ready after {time.perf_counter() - start:.1f} s")
            await _make_ads(processes, say)
    say(f"the processes are stopped; their log is {_shown(OUT / 'demo.log')}")


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
    say(f"  photo      {_shown(OUT / 'photo.jpg')}")
    say(f"  cut-out    {_shown(OUT / 'cutout.png')}  by {engines['cut_out']}")
    cleared = engines.get("inpainting", "nobody: nothing stood in the way")
    for ad in sorted(OUT.glob("ad_*.jpg")):
        say(f"  ad         {_shown(ad)}  background by {engines['background']}, cleared by {cleared}")
    say(f"  texts      {_shown(OUT / 'short_ad.txt')}, {_shown(OUT / 'long_ad.txt')}  by {engines['copy']}")
    say(f"  record     {_shown(OUT / 'record.json')}")
    say(f"  all of it  {_shown(OUT / 'overview.jpg')}")
    say("")
    say(f"  {record['short_ad']}")
    say("")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
