"""API keys: `python -m gateway.api_keys NAME` creates one and prints its setting. Only the hash is ever stored."""

import hashlib
import json
import secrets
import sys

PREFIX = "pig_"
"""Prefix by which secret scanners recognise our keys."""


def new_key() -> str:
    """Return a random key."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal. A plain hash is enough for random keys, unlike passwords."""
    return hashlib.sha256(key.encode()).hexdigest()


def main(name: str) -> None:
    """Print a new key and its setting."""
    key = new_key()
    setting = json.dumps({name: digest_of(key)}, ensure_ascii=False)
    sys.stdout.write(f"The key for {name}, shown only once:\n  {key}\nAdd to the settings of the gateway:\n")
    sys.stdout.write(f"  GATEWAY_API_KEYS='{setting}'\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.api_keys NAME")
    main(sys.argv[1])
