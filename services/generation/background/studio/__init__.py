"""A rendered studio set: backgrounds that need nothing but this process."""
