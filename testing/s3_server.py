"""In-memory S3 server (moto) with one bucket, for trying out the S3 store."""

import signal
import threading

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "product-images"
PORT = 5000


def main() -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = ThreadedMotoServer("0.0.0.0", PORT)  # noqa: S104  # in a container
    server.start()
    session = boto3.Session("any", "any", region_name="us-east-1")
    session.client("s3", endpoint_url=f"http://localhost:{PORT}").create_bucket(Bucket=BUCKET)
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
