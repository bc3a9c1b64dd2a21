"""From a URL to an S3 object: whole, once, with a checksum."""
