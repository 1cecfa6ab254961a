"""The model weights: what there is, where it comes from, and the command that fetches and verifies it.

The files lie in this folder and are never committed; nothing is ever fetched while a request is served.
"""
