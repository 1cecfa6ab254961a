"""Shared by every process. Imports nothing of ours but the client."""
