"""Records: the log and its queries."""
