"""What knows AWS looks at the template, without an account: part of `make lint`."""
