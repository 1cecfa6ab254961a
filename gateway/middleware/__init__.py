"""Middleware, from the outermost: CORS, context, headers, access, admission, body."""
