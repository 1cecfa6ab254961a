"""AWS credentials: static keys, a role that is assumed and renewed, or the identity of the machine or pod."""

import os

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session as BotocoreSession
from botocore.session import get_session
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.errors import StartError
from common.findings import Finding
from common.settings import Secret

AWS_ERRORS = (ClientError, StartError, BotoCoreError)
"""What a call to AWS, or setting one up, may raise."""
SESSION_NAME = "product-image-generator"
WEB_IDENTITY = "AWS_WEB_IDENTITY_TOKEN_FILE"
"""Set in a pod with its own identity; botocore then assumes AWS_ROLE_ARN itself."""


class AwsSettings(BaseSettings):
    """AWS credentials, under the names that AWS users already have."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    aws_access_key_id: Secret = Field(
        None,
        validation_alias="AWS_ACCESS_KEY_ID",
        description="Static access key. Unset: the identity of the machine or pod.",
    )
    aws_secret_access_key: Secret = Field(
        None, validation_alias="AWS_SECRET_ACCESS_KEY", description="Secret of the access key."
    )
    aws_role_arn: str = Field(
        "",
        validation_alias="AWS_ROLE_ARN",
        description="Role to assume; its credentials are renewed before they expire.",
    )

    @property
    def names_aws_identity(self) -> bool:
        """Whether credentials are configured, so that AWS is meant to be used."""
        return self.aws_access_key_id is not None or bool(self.aws_role_arn)


def aws_session(settings: AwsSettings) -> boto3.Session:
    """Return a session with the configured credentials.

    Raises:
        StartError: A role is configured, but no credentials to assume it with.
    """
    botocore_session = get_session()
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    if key and secret:
        botocore_session.set_credentials(key.get_secret_value(), secret.get_secret_value())
    if settings.aws_role_arn and WEB_IDENTITY not in os.environ:
        botocore_session = _with_role(botocore_session, settings.aws_role_arn)
    return boto3.Session(botocore_session=botocore_session)


class _Role(CredentialProvider):
    """Provides the credentials of one role to botocore."""

    METHOD = "assume-role"
    CANONICAL_NAME = "AssumeRole"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)


def _with_role(source: BotocoreSession, role: str) -> BotocoreSession:
    credentials = source.get_credentials()
    if credentials is None:
        raise StartError("AWS_ROLE_ARN needs credentials to assume it with: set AWS_ACCESS_KEY_ID and its secret")
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=source.create_client,
        source_credentials=credentials,
        role_arn=role,
        extra_args={"RoleSessionName": SESSION_NAME},
    )
    session = get_session()
    session.register_component("credential_provider", CredentialResolver([_Role(fetcher)]))
    return session


def finding_for(subject: str, error: Exception) -> Finding:
    """Return what is wrong, and what to do about it, for one of AWS_ERRORS."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        return Finding(subject, ok=False, detail=f"{error.operation_name} is refused: {code}", fix=_fix_for(code))
    if isinstance(error, StartError):
        return Finding(subject, ok=False, detail=str(error), fix="correct it in the environment or in .env")
    return Finding(subject, ok=False, detail=str(error), fix="check the network, the region and the endpoint")


def _fix_for(code: str) -> str:
    if code in ("NoSuchBucket", "404"):
        return "create the bucket, or correct S3_BUCKET_NAME"
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "UnrecognizedClientException", "ExpiredToken"):
        return "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return "grant this identity the rights listed in docs/operations.md"
