"""The sample photos of the page and the demo."""
