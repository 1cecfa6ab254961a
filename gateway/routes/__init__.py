"""The routes: what the frontend calls."""
