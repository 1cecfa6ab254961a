"""History: every photo, every ad and the list of what was made."""
