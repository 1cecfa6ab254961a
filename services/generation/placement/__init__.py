"""Where the product goes in a picture that others made."""
