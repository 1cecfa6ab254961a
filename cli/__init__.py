"""`product-image`: the whole system from a terminal."""
