"""One client per service: its methods, their deadlines, their messages."""
