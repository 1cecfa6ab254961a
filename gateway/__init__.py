"""The gateway: turns the frontend's REST calls into pipelines of gRPC calls. Holds no model, credential or state."""
