"""A media host: real small media, links that expire, and each way in which a host can fail."""
