"""The words of an ad."""
