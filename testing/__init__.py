"""Process harness, fixed engines, scripted servers and test pictures, for tests and benches."""
