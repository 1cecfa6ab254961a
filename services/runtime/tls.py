"""Mutual TLS between our processes: each shows a certificate of the one authority that all trust."""

import grpc

from services.runtime.settings import TlsSettings


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Give what a server needs to be reached by our processes only; None when TLS is not set up.

    Renewed files are taken for the connections that come after.

    Raises:
        OSError: A file cannot be read.
    """
    if settings.tls_ca is None:
        return None
    current = _read(settings)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal current
        found = _read(settings)
        if found == current:
            return None
        current = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(current),
        renewed,  # type: ignore[arg-type]  # the stubs miss that None stands for no change
        require_client_authentication=True,
    )


def channel_credentials(settings: TlsSettings) -> grpc.ChannelCredentials | None:
    """Give what a channel needs to reach such a server; None when TLS is not set up.

    Raises:
        OSError: A file cannot be read.
    """
    if settings.tls_ca is None:
        return None
    ca, certificate, key = _read(settings)
    return grpc.ssl_channel_credentials(ca, key, certificate)


def _read(settings: TlsSettings) -> tuple[bytes, bytes, bytes]:
    ca, certificate, key = (
        path.read_bytes() if path else b"" for path in (settings.tls_ca, settings.tls_certificate, settings.tls_key)
    )
    return ca, certificate, key


def _configuration(found: tuple[bytes, bytes, bytes]) -> grpc.ServerCertificateConfiguration:
    ca, certificate, key = found
    return grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=ca)
