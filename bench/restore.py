"""How long a history takes to go back to a moment, against listing its versions alone, and how much is lost.

In a versioned bucket of a local S3 server.

    python -m bench.restore [RECORDS]
"""

import json
import sys
import time
from datetime import UTC, datetime

from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries, RecordQuery
from services.history.restore import restore
from services.history.settings import HistorySettings
from services.history.storage.s3 import S3Store
from testing.s3_server import S3Server

BUCKET = "restored"


def measure(records: int) -> dict[str, float]:
    """Append records, damage and delete, restore; return seconds and what was lost."""
    server = S3Server(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    settings = HistorySettings(
        store="s3",
        s3_bucket_name=BUCKET,
        s3_endpoint_url=f"http://127.0.0.1:{port}",
        s3_region="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",  # noqa: S106
    )
    client = S3Store.client(settings)
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    store = S3Store(client, BUCKET)
    log = RecordLog(store, attempts=5)
    for number in range(records):
        log.append(
            {
                "write_date": "20261126093000",
                "product_name": f"{number}",
                "request_id": f"r{number}",
                "generated_images": [],
            }
        )
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.1)
    store.delete([found.key for found in store.list("ledger/")])
    store.put("static/history_setting.json", b"[", "application/json")
    start = time.monotonic()
    pages = client.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    listed = sum(len(page.get("Versions", ())) for page in pages)
    listing = time.monotonic() - start
    start = time.monotonic()
    restore(client, BUCKET, moment)
    seconds = time.monotonic() - start
    found = RecordQueries(RecordLog(store, attempts=5)).list_records(RecordQuery(descending=True, page_size=1))
    server.stop()
    newest = int(found.records[0]["product_name"]) + 1
    return {"versions": listed, "listing": listing, "seconds": seconds, "lost": records - newest}


def main(records: int) -> None:
    """Measure and print."""
    found = measure(records)
    print(f"{'records':>8} {'versions':>9} {'list s':>7} {'restore s':>10} {'lost':>5}")
    times = f"{found['listing']:>7.2f} {found['seconds']:>10.2f}"
    print(f"{records:>8} {found['versions']:>9.0f} {times} {found['lost']:>5.0f}")
    result = {
        "records": records,
        "records_lost": found["lost"],
        "restore_seconds": round(found["seconds"], 2),
        "ratio_to_listing": round(found["seconds"] / found["listing"], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
