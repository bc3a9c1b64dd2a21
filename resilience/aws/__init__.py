"""make aws-smoke: the whole bundle once on a real AWS account, and everything deleted again."""
