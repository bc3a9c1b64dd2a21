"""Faults at every step: each AWS call that a function makes fails in each way that it can, and nothing is lost.

The functions are the built bundle's own, each invocation in a process of its own (`worker`, `invoking`), with the real
roles, against the emulated AWS. Between them and AWS stands the `gate`: it records every call and makes one of them
fail. What Lambda's pollers and the providers do, the harness does: it hands over the stream's and the queue's records,
again where they were not taken (`life`), and calls again where it was not answered 200. The stories (what is told:
`stories`; what nobody tells: `unheard`; secrets that change: `keeping`) are run once without a fault, which lists the
calls; then once for each call and each fault (`matrix`), and compared (`verdict`). In the end each permission must have
been needed (`grants`), and nothing that was printed be a secret (`silence`).
"""
