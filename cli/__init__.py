"""The operator's side: what the command and the page know of a stack, and do with it."""
