"""Backgrounds from Amazon Bedrock."""
