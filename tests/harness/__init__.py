"""What the end-to-end tests stand on: a server of our own, an engine under it, a client before it."""
