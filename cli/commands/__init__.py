"""The commands: they parse arguments and print results. One file each; the work is done in `cli` itself."""
