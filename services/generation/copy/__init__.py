"""The copy of an ad."""
