"""The examples as far as their own tools go without an AWS account: `make examples`."""
