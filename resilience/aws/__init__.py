"""make aws-smoke: deploy the complete bundle to a real AWS account, test it, and delete everything."""
