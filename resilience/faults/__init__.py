"""Faults at every step: each AWS call of a function fails in every possible way, and nothing is lost.

The functions are from the built bundle. Each invocation is a process of its own (`worker`, `invoking`), with the real
roles, on the emulated AWS. The `fault_proxy` between them records every call and makes one of them fail. The harness
does the work of Lambda's pollers and of the providers (`case_runner`): it passes the records of the stream and the
queue, again if they failed, and repeats a call until the response is 200. The scenarios (`scenarios`: deliveries;
`scenarios_reconcile`: missed webhooks; `scenarios_secrets`: changing secrets) run without a fault first, which lists
the calls. Then they run for each call and each fault (`matrix`), and the results are compared (`checks`). At the end
each permission must have been needed (`grants`), and no output may contain a secret (`secret_leaks`).
"""
