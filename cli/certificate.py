"""`product-image certificate`: a test certificate for content credentials."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import FAILED, fail

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder

DAYS = 365


def certificate(
    chain: Annotated[Path, typer.Argument(help="File for the certificate and its authority's, PEM.")],
    key: Annotated[Path, typer.Argument(help="File for the private key, PEM.")],
    name: Annotated[str, typer.Option(help="Name of the signer.")] = "Product Image Generator test",
) -> None:
    """Make a test certificate for content credentials: what it signs is valid, and trusted by nobody."""
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        fail("This needs the package cryptography: pip install -r requirements/c2pa.txt", FAILED)
    for file in (chain, key):
        if file.exists():
            fail(f"{file} is there already: remove it, or choose another name.", FAILED)
    own_key, certificates = _issue(name)
    key.touch(mode=0o600)
    key.write_bytes(
        own_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    chain.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))
    typer.echo(f"GENERATION_C2PA_CERTIFICATE={chain}\nGENERATION_C2PA_KEY={key}")


def _issue(name: str) -> "tuple[EllipticCurvePrivateKey, list[Certificate]]":
    """Issue a certificate that may sign content, as C2PA's certificate profile wants it, and its authority's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(common_name: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, common_name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]
        )

    def builder(subject: x509.Name, of: ec.EllipticCurvePrivateKey) -> "CertificateBuilder":
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(named(f"{name} authority"))
            .public_key(of.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=DAYS))
        )

    def usage(*, signs_certificates: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs_certificates,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=signs_certificates,
            crl_sign=signs_certificates,
            encipher_only=False,
            decipher_only=False,
        )

    root_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        builder(named(f"{name} authority"), root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    own = (
        builder(named(name), own_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return own_key, [own, root]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(certificate)
