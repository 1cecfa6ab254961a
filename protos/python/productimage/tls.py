"""Files for mutual TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

Files = tuple[bytes, bytes, bytes]
"""Contents of the authority's certificate, the caller's and its key."""


@dataclass(frozen=True)
class Tls:
    """PEM files for mutual TLS.

    Attributes:
        ca: Certificate of the authority that signs all others.
        certificate: Certificate of this caller.
        key: Private key of that certificate.
    """

    ca: Path
    certificate: Path
    key: Path

    def read(self) -> Files:
        """Read the files.

        Raises:
            OSError: One cannot be read, or key and certificate do not fit together (SSLError is one).
        """
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.certificate, self.key)
        return self.ca.read_bytes(), self.certificate.read_bytes(), self.key.read_bytes()

    @staticmethod
    def credentials(files: Files) -> grpc.ChannelCredentials:
        """Return the credentials that the files make."""
        ca, certificate, key = files
        return grpc.ssl_channel_credentials(ca, key, certificate)
