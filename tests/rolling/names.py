"""A DNS server for tests: one name with several addresses that may change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dnslib import QTYPE, RR, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer

NAME = "segmentation.test"


@dataclass
class Names(BaseResolver):  # type: ignore[misc]  # untyped
    """Resolves one name, as a headless Kubernetes Service does.

    Attributes:
        addresses: Addresses of the ready replicas.
    """

    addresses: list[str] = field(default_factory=list)

    def resolve(self, request, _handler):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """See dnslib."""
        reply = request.reply()
        if request.q.qtype == QTYPE.A and str(request.q.qname).rstrip(".") == NAME:
            for address in self.addresses:
                reply.add_answer(RR(NAME, QTYPE.A, rdata=A(address), ttl=1))
        return reply


@contextmanager
def serving(names: Names) -> Iterator[int]:
    """Serve over UDP on localhost; yield the port."""
    server = DNSServer(names, port=0, address="127.0.0.1", logger=DNSLogger("-request,-reply"))
    server.start_thread()
    yield server.server.server_address[1]
    server.stop()
    server.server.server_close()
