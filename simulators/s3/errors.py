"""How the S3 stand-in says no."""


class Refusal(Exception):
    """An answer that is an error, with S3's own code. `status` may be 200: S3 completes uploads so."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
