"""Serving: the gRPC server, its executor and what surrounds every call."""
