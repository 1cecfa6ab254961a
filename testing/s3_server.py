"""In-memory S3 server (moto) whose conditional writes are atomic, as Amazon's are. Run: with one bucket, for trying out
the S3 store.
"""

import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

BUCKET = "product-images"
PORT = 5000


class S3Server(ThreadedMotoServer):
    """Handles one request at a time: moto checks If-Match and If-None-Match and writes in two steps, between which another
    thread's write is lost.
    """

    def _server_entry(self) -> None:
        app, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

        def one_at_a_time(environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
            with lock:
                return list(app(environ, start_response))

        self._server = make_server(
            self._ip_address, self._port, one_at_a_time, True, request_handler=MotoRequestHandler
        )
        self._server_ready_event.set()
        self._server.serve_forever()


def main() -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = S3Server("0.0.0.0", PORT)  # noqa: S104  # in a container
    server.start()
    session = boto3.Session("any", "any", region_name="us-east-1")
    session.client("s3", endpoint_url=f"http://localhost:{PORT}").create_bucket(Bucket=BUCKET)
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
