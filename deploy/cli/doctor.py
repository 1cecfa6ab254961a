"""What is in order on this machine and in what it is configured for, and how to mend what is not."""

import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from openai import APIStatusError, OpenAI, OpenAIError

from deploy.local.supervisor import HOST, Ports
from services.generation.settings import GenerationSettings
from services.history.objects.s3 import S3Store
from services.history.settings import HistorySettings
from services.runtime.aws import aws_session
from services.runtime.server import StartError
from services.runtime.settings import read_settings
from weights.manifest import FOLDER, read_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

QUICKLY = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
PROBE = "doctor/"
LEAST_FREE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """What a look at one thing told.

    Attributes:
        subject: What was looked at.
        ok: Whether it is as it should be.
        detail: What was found.
        fix: What to do; empty when it is in order.
    """

    subject: str
    ok: bool
    detail: str
    fix: str = ""


def examine(address: str) -> Iterator[Finding]:
    """Look at everything: ports and services, weights, room on the disk, S3, Bedrock, OpenAI.

    Args:
        address: Of the gateway.
    """
    yield from _services(address)
    yield from _weights(FOLDER)
    yield _room(Path())
    yield from _guarded("S3", _s3)
    yield from _guarded("Bedrock", _bedrock)
    yield from _guarded("OpenAI", _openai)


def _guarded(subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Turn wrong settings, and what AWS and OpenAI refuse, into findings; secrets are in none of their texts."""
    try:
        yield from look()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        yield Finding(subject, ok=False, detail=f"{error.operation_name} is refused: {code}", fix=_fix_for(code))
    except StartError as error:
        yield Finding(subject, ok=False, detail=str(error), fix="correct it in the environment or in .env")
    except (BotoCoreError, OpenAIError) as error:
        yield Finding(subject, ok=False, detail=str(error), fix="check the network, the region and the endpoint")


def _fix_for(code: str) -> str:
    if code in ("NoSuchBucket", "404"):
        return "make the bucket, or correct S3_BUCKET_NAME"
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException", "ExpiredToken"):
        return "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return "give this identity the rights that deploy/README.md lists"


def _services(address: str) -> Iterator[Finding]:
    try:
        services = httpx.get(f"{address}/readyz", timeout=5, trust_env=False).json()["services"]
    except httpx.TransportError:
        yield from _ports(address)
        return
    except (ValueError, KeyError, TypeError):
        yield Finding("gateway", False, f"what answers at {address} is none", "stop it, or set GATEWAY_PORT")
        return
    for name, ready in services.items():
        fix = "" if ready else f"look at its log; start it with python -m services.{name}"
        yield Finding(f"service {name}", ready, "ready" if ready else "does not answer", fix)


def _ports(address: str) -> Iterator[Finding]:
    yield Finding("gateway", ok=False, detail=f"nothing answers at {address}", fix="make run")
    for name, port in vars(Ports.of_settings()).items():
        with socket.socket() as probe:
            taken = probe.connect_ex((HOST, port)) == 0
        detail, fix = ("taken", f"stop what uses it, or set {name.upper()}_PORT") if taken else ("free", "")
        yield Finding(f"port {port} ({name})", not taken, detail, fix)


def _weights(folder: Path) -> Iterator[Finding]:
    for name, weight in read_manifest().items():
        path = weight.path(folder)
        if path.exists() and not weight.fits(path):
            yield Finding(f"weights {name}", False, "damaged", f"rm {path} && python -m weights fetch {name}")
        elif weight.default or path.exists():
            present = path.exists()
            fix = "" if present else f"python -m weights fetch {name}"
            yield Finding(f"weights {name}", present, "in place" if present else "missing", fix)


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    fix = "" if free >= LEAST_FREE else "make room: ads and photos are kept here"
    return Finding("room on the disk", free >= LEAST_FREE, f"{free / 1e9:.1f} GB free", fix)


def _s3() -> Iterator[Finding]:
    settings = read_settings(HistorySettings)
    if not settings.s3_bucket_name or settings.store == "disk":
        yield Finding("S3", ok=True, detail="not used: everything is kept on the disk")
        return
    bucket, key = settings.s3_bucket_name, PROBE + secrets.token_hex(8)
    with closing(S3Store.client(settings)) as client:
        client.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")
        try:
            yield from _rights(client, bucket, key)
        finally:
            client.delete_object(Bucket=bucket, Key=key)


def _rights(client: "S3Client", bucket: str, key: str) -> Iterator[Finding]:
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
            raise
    else:
        yield Finding("S3", False, "conditional writes are ignored", "use an S3 that knows If-None-Match and If-Match")
        return
    client.get_object(Bucket=bucket, Key=key)
    client.list_objects_v2(Bucket=bucket, Prefix=PROBE)
    yield Finding("S3", ok=True, detail=f"bucket {bucket}: write once, read, list and delete work")


def _bedrock() -> Iterator[Finding]:
    settings = read_settings(GenerationSettings)
    asked = settings.background_engine
    if asked == "studio" or (asked == "auto" and not settings.names_aws_identity):
        yield Finding("Bedrock", ok=True, detail="not used: backgrounds are rendered")
        return
    region, address, model = settings.bedrock_region, settings.bedrock_endpoint_url, settings.bedrock_model
    with closing(
        aws_session(settings).client("bedrock", region_name=region, endpoint_url=address, config=QUICKLY)
    ) as client:
        found = client.get_foundation_model_availability(modelId=model)
    granted = found["authorizationStatus"] == "AUTHORIZED" and found["regionAvailability"] == "AVAILABLE"
    fix = "" if granted else f"ask for access to {model} in {settings.bedrock_region}, in Bedrock's console"
    yield Finding("Bedrock", granted, f"{model}: {found['authorizationStatus'].lower().replace('_', ' ')}", fix)


def _openai() -> Iterator[Finding]:
    settings = read_settings(GenerationSettings)
    if settings.openai_key is None or settings.copy_engine == "templates":
        yield Finding("OpenAI", ok=True, detail="not used: texts come from templates")
        return
    key, address = settings.openai_key.get_secret_value(), settings.openai_base_url
    try:
        with OpenAI(api_key=key, base_url=address, timeout=10, max_retries=0) as client:
            client.models.retrieve(settings.openai_model)
    except APIStatusError as error:
        fixes = {401: "correct OPENAI_KEY", 404: "correct GENERATION_OPENAI_MODEL"}
        fix = fixes.get(error.status_code, "try again later")
        yield Finding("OpenAI", ok=False, detail=f"{settings.openai_model}: status {error.status_code}", fix=fix)
        return
    yield Finding("OpenAI", ok=True, detail=f"{settings.openai_model} can be used")
