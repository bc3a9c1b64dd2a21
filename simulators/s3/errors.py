"""The S3 simulator's errors."""


class Refusal(Exception):
    """An error response with S3's code. `status` may be 200, as in S3's CompleteMultipartUpload."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
