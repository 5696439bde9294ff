"""Reading CBOR in its one encoding (RFC 8949, 4.2.1), item after item, where it is known what comes next.

An envelope's form is fixed: so many items, of these types, its labels in this order. To read it so is stricter than to
decode whatever is there and look at it afterwards, and costs a third.
"""

from ledger.errors import MalformedError

_UINT, _BYTES, _TEXT, _ARRAY = 0x00, 0x40, 0x60, 0x80


class Reader:
    """A place in `data`. Each method reads one item and moves behind it, or raises MalformedError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def rest(self) -> bytes:
        """What is not read yet."""
        return self._data[self._at :]

    def expect(self, literal: bytes, what: str) -> None:
        """Read exactly these bytes; `what` says in the error what they stand for."""
        if not self._data.startswith(literal, self._at):
            raise MalformedError(what)
        self._at += len(literal)

    def skips(self, literal: bytes) -> bool:
        """Read these bytes if they come next; whether they did."""
        if not self._data.startswith(literal, self._at):
            return False
        self._at += len(literal)
        return True

    def take(self, count: int) -> bytes:
        """So many bytes, whatever they are."""
        start = self._at
        self._at = end = start + count
        if end > len(self._data):
            raise MalformedError("not plain CBOR: it ends too early")
        return self._data[start:end]

    def uint(self) -> int:
        """A number from 0 to 2**64 - 1."""
        return self._head(_UINT)

    def bytes(self) -> bytes:
        """A byte string."""
        return self.take(self._head(_BYTES))

    def text(self) -> str:
        """A text, in UTF-8."""
        try:
            return self.take(self._head(_TEXT)).decode()
        except UnicodeDecodeError as error:
            raise MalformedError("not plain CBOR: a text is not UTF-8") from error

    def array(self) -> int:
        """The head of an array: how many items follow."""
        return self._head(_ARRAY)

    def end(self) -> None:
        """Nothing follows."""
        if self._at != len(self._data):
            raise MalformedError("bytes after the end of the CBOR item")

    def _head(self, major: int) -> int:
        """The argument of an item's head, in its shortest form (RFC 8949, 3)."""
        data, at = self._data, self._at
        try:
            info = data[at] - major
            if 0 <= info < 24:
                self._at = at + 1
                return info
            if info == 24 and data[at + 1] >= 24:
                self._at = at + 2
                return data[at + 1]
        except IndexError:
            raise MalformedError("not plain CBOR: it ends too early") from None
        if not 25 <= info <= 27:
            raise MalformedError("not plain CBOR of the type that stands here, in its one encoding")
        end = at + 1 + (1 << info - 24)
        argument = int.from_bytes(data[at + 1 : end])
        if len(data) < end or argument < 1 << (8 << info - 25):
            raise MalformedError("not plain CBOR in its one encoding: a number is shorter, or cut")
        self._at = end
        return argument
