"""A media host: small real media, links that expire, and every way in which a host can fail."""
