"""API keys: `python -m gateway.keys NAME` makes one, and says what to set. Only its hash is ever kept."""

import hashlib
import json
import secrets
import sys

PREFIX = "pig_"
"""By which scanners for leaked keys can know ours."""


def new_key() -> str:
    """Make a key that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """Give a key's SHA-256 in hex. A plain hash is enough for what is random and long, unlike a password."""
    return hashlib.sha256(key.encode()).hexdigest()


def main(name: str) -> None:
    """Write a new key and its setting to standard output."""
    key = new_key()
    setting = json.dumps({name: digest_of(key)}, ensure_ascii=False)
    sys.stdout.write(f"The key, shown this once; give it to {name}:\n  {key}\nIn the gateway's settings:\n")
    sys.stdout.write(f"  GATEWAY_API_KEYS='{setting}'\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m gateway.keys NAME")
    main(sys.argv[1])
