"""Second opinions: the archive's and the table's own code on an S3 and a DynamoDB by other authors."""
