"""What every request passes before a route, from the outermost: context, headers, access, admission, body."""
