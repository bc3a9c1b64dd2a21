"""The work of the functions: one module per folder of functions/, and the parts that only one step needs."""
