"""The web console of a stack, for a user with credentials for it. `dailies console` serves it on the loopback.

Each file here has a page of the same name in `templates/`; the part that updates itself is in `templates/live/`. All
reading and writing goes through the modules of `cli/`, which the command uses too.
"""
