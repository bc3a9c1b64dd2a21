"""The entry point of the script `dailies`, and of `python -m cli`."""

INTERRUPTED = 130


def main() -> None:
    """Run the command. Ends with 130, without a traceback, when Ctrl-C comes while its packages load."""
    try:
        from cli.main import main as run  # noqa: PLC0415  takes most of a second

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
