"""What the files of ads say about how they were made."""
