"""The AWS services that the functions use, one module each."""
