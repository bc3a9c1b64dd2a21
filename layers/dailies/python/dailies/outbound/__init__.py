"""The only folder that opens connections: to media hosts, to providers' APIs, and to S3 for the bytes of objects."""
