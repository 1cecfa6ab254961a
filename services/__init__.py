"""The gRPC services, one package each."""
