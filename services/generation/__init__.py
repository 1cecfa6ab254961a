"""Generation: the background, the words and the finished ads."""
