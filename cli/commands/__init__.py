"""The commands: what the operator types, and how it is shown. A file for each; what they do is in `cli` itself."""
