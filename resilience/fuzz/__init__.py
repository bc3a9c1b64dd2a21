"""Fuzzing what strangers can reach: the proofs, the payloads, the receivers, the media's bytes, the links.

`targets` are the functions that take bytes and hold what must hold of them, `reception` those of whole receivers;
`seeds` where each begins; `python -m resilience.fuzz` runs them by atheris, which goes where the code's branches
lead. What it finds is kept in resilience/fuzz/found.
"""
