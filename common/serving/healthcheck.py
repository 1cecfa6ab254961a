"""`python -m common.serving.healthcheck VARIABLE`: whether the process in this container serves, by its `/healthz`.

The variable holds the port: HISTORY_METRICS_PORT or, of the gateway, GATEWAY_PORT. For engines of containers, which run
it every few seconds: it loads nothing of ours.
"""

import http.client
import os
import sys

SECONDS = 4


def is_well(port: int) -> bool:
    """Return whether /healthz of a port on this machine says so."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_well(int(os.environ[sys.argv[1]])) else 1)
