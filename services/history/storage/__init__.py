"""Object stores: a few operations on named bytes, the same on disk and on S3."""
