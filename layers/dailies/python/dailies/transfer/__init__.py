"""Copies a URL's content to an S3 object: complete, once, with a checksum."""
