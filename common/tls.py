"""Mutual TLS between our processes: each presents a certificate signed by the one authority that all trust."""

import grpc

from common.settings import TlsSettings
from productimage import Tls


def client_tls(settings: TlsSettings) -> Tls | None:
    """Return the files a caller presents; None if TLS is off."""
    if settings.tls_ca is None or settings.tls_certificate is None or settings.tls_key is None:
        return None
    return Tls(settings.tls_ca, settings.tls_certificate, settings.tls_key)


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Return credentials that admit our processes only; None if TLS is off.

    Renewed files are used for new connections.

    Raises:
        OSError: A file cannot be read.
    """
    tls = client_tls(settings)
    if tls is None:
        return None
    current = _read(tls)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal current
        found = _read(tls)
        if found == current:
            return None
        current = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(current),
        renewed,  # type: ignore[arg-type]  # the stubs miss that None means no change
        require_client_authentication=True,
    )


def _read(tls: Tls) -> tuple[bytes, bytes, bytes]:
    return tls.ca.read_bytes(), tls.certificate.read_bytes(), tls.key.read_bytes()


def _configuration(files: tuple[bytes, bytes, bytes]) -> grpc.ServerCertificateConfiguration:
    ca, certificate, key = files
    return grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=ca)
