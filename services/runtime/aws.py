"""Who we are to AWS: static keys, a role that is assumed and renewed, or the identity of the machine or pod."""

import os

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.session import Session as BotocoreSession
from botocore.session import get_session
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.server import StartError

SESSION_NAME = "product-image-generator"
WEB_IDENTITY = "AWS_WEB_IDENTITY_TOKEN_FILE"
"""Set in a pod that has an identity of its own; botocore then assumes AWS_ROLE_ARN with it by itself."""


class AwsSettings(BaseSettings):
    """The names that AWS users already have."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    aws_access_key_id: SecretStr | None = Field(
        None,
        validation_alias="AWS_ACCESS_KEY_ID",
        description="A static key; without one, the machine's identity.",
    )
    aws_secret_access_key: SecretStr | None = Field(
        None, validation_alias="AWS_SECRET_ACCESS_KEY", description="The secret of that key."
    )
    aws_role_arn: str = Field(
        "", validation_alias="AWS_ROLE_ARN", description="A role to assume; its credentials are renewed in time."
    )

    @property
    def names_aws_identity(self) -> bool:
        """Whether the settings say who we are, so that AWS is meant to be used."""
        return self.aws_access_key_id is not None or bool(self.aws_role_arn)


def aws_session(settings: AwsSettings) -> boto3.Session:
    """Give a session with the identity of the settings.

    Raises:
        StartError: There is a role, and nothing to assume it with.
    """
    botocore_session = get_session()
    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    if key and secret:
        botocore_session.set_credentials(key.get_secret_value(), secret.get_secret_value())
    if settings.aws_role_arn and WEB_IDENTITY not in os.environ:
        botocore_session = _with_role(botocore_session, settings.aws_role_arn)
    return boto3.Session(botocore_session=botocore_session)


class _Role(CredentialProvider):
    """A provider of one role's credentials, as botocore asks for them."""

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
