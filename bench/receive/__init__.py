"""How fast a receiver is: warm, at its first call, and its proof alone; each beside others in the same run."""
