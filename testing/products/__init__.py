"""Products whose alpha is known exactly: drawn ones for tests, rendered ones for measuring cut-outs."""
