"""What went wrong, with a stable code."""

from __future__ import annotations


class ClientError(Exception):
    """One of the client's own codes (docs/reference/python.md lists them), or the code that the bridge answered with.

    `retry` is true where the same may succeed later.
    """

    def __init__(self, code: str, message: str, retry: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry = retry

    def __repr__(self) -> str:
        return f"ClientError({self.code!r}, {self.message!r})"


def own_error(code: str, text: str | None = None) -> ClientError:
    """An error of the client's own; where its code says all, in the words of the code."""
    return ClientError(code, code.replace("_", " ") if text is None else text, code == "not_connected")
