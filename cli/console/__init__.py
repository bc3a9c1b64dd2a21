"""The page: a stack in the browser of whoever has its credentials. `dailies console` serves it on the loopback.

A file here is a page of the same name in `templates/`; what keeps itself up to date of it is in `templates/live/`.
Whatever is read or done goes through the reading layer in `cli/`, as the command's does.
"""
