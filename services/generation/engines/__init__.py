"""Background and copy engines."""
