"""Layouts of words on the ads."""

NO_WORDS, AUTO = "none", "auto"
LAYOUTS = (NO_WORDS, AUTO, "left", "right", "top", "bottom")
"""None, the best for each size, or by where the headline stands."""
PATTERN = f"^({'|'.join(LAYOUTS)})?$"
"""Pattern of a layout."""
