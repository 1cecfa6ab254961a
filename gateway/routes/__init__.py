"""Routes: the REST API and the page."""
