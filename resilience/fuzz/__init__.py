"""Fuzzing of what strangers can reach: signatures, payloads, receivers, media bytes, links.

`targets` are functions that take bytes and check properties, `receiver` those of complete receivers; `seeds` are their
first inputs. `python -m resilience.fuzz` runs them with atheris, which follows the code's branches. Inputs that it
finds are stored in resilience/fuzz/found.
"""
