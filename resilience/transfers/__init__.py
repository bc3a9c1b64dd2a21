"""What may go wrong with a transfer, of a link to an object."""
