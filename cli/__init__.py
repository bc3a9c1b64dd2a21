"""The command and the console: what they read from a stack, and what they do with it."""
