"""The only folder that opens connections: to media hosts, to providers' APIs, to S3 for the bytes."""
