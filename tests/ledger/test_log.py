"""Which key of a log signs for which sizes: small and exhaustive."""

from itertools import product

import pytest

from ledger import note
from ledger.checkpoint import Checkpoint
from ledger.errors import NoteError, TrustError
from ledger.keys import SigningKey
from ledger.log import Log, Rotation, keys_of
from tests import cast

KEYS = [cast.key(number) for number in range(60, 63)]
VERIFIERS = [note.Verifier(cast.ORIGIN, key.public) for key in KEYS]
SIZES = range(9)
ROTATIONS = [
    (Rotation(VERIFIERS[1], first, until), Rotation(VERIFIERS[2], second, end))
    for first, until, second, end in product(range(1, 6), range(7), range(2, 7), range(8))
    if first - 1 <= until and first < second and second - 1 <= end
]


def sign(size: int, *keys: SigningKey) -> str:
    return note.sign(Checkpoint(cast.ORIGIN, size, bytes(32)).text, [note.Signer(cast.ORIGIN, key) for key in keys])


@pytest.mark.parametrize("rotations", ROTATIONS, ids=str)
def test_each_size_has_one_key_or_a_key_and_its_predecessor(rotations: tuple[Rotation, ...]) -> None:
    """Whatever the rotations: no size without a key, none with three, and a new key signs from its first size on."""
    keys = keys_of(VERIFIERS[0], rotations)
    for size in SIZES:
        holders = [number for number, key in enumerate(keys) if key.holds(size)]
        newest = sum(1 for rotation in rotations if rotation.first <= size)
        before = newest > 0 and size <= rotations[newest - 1].until
        assert holders == ([newest - 1, newest] if before else [newest])


def test_who_holds_a_size_opens_it_and_nobody_else() -> None:
    """Every set of signers at every size: the log opens what one of the size's holders signed, and names those."""
    log = Log("production", VERIFIERS[0], (Rotation(VERIFIERS[1], 3, 4), Rotation(VERIFIERS[2], 6, 5)))
    holders = {0: {0}, 1: {0}, 2: {0}, 3: {0, 1}, 4: {0, 1}, 5: {1}, 6: {2}, 7: {2}, 8: {2}}
    for size, chosen in product(SIZES, product((False, True), repeat=3)):
        signers = {number for number, is_in in enumerate(chosen) if is_in}
        if not signers:
            continue
        text = sign(size, *(KEYS[number] for number in signers))
        if signers & holders[size]:
            signed = log.open_signed(text)
            assert signed.checkpoint.size == size and not signed.has_unknown
            assert {log.keys.index(key) for key in signed.keys} == signers & holders[size]
        else:
            with pytest.raises(TrustError, match=f"it is signed for size {size} by a key that"):
                log.open(text)


def test_a_bad_signature_of_a_known_key_spoils_a_note() -> None:
    """Also beside a good one, and also if that key is retired: nobody honest writes such a note."""
    log = Log("production", VERIFIERS[0], (Rotation(VERIFIERS[1], 3, 4),))
    good, other = sign(7, KEYS[1]), sign(6, KEYS[0])
    with pytest.raises(NoteError, match="bad signature"):
        log.open(good + other.splitlines(keepends=True)[-1])


def test_a_receipt_is_by_a_key_of_its_size() -> None:
    """By thumbprint: who is no key of the log's, or does not hold the size, is named as that."""
    log = Log("production", VERIFIERS[0], (Rotation(VERIFIERS[1], 3, 4),))
    assert log.key(KEYS[0].kid, 4).public_key == KEYS[0].public
    assert log.key(KEYS[1].kid, 3).public_key == KEYS[1].public
    for key, size, complaint in ((0, 5, "retired at size 4"), (1, 2, "from size 3 on"), (2, 4, "no known key")):
        with pytest.raises(TrustError, match=complaint):
            log.key(KEYS[key].kid, size)


def test_an_unknown_key_under_the_logs_name_is_told() -> None:
    """Whoever has not heard of a rotation opens a checkpoint that both keys signed, and sees that there is more."""
    log, text = Log("production", VERIFIERS[0]), sign(3, KEYS[0], KEYS[1])
    assert log.open_signed(text).has_unknown and log.open(text).size == 3
    witness = note.sign(log.open_signed(text).checkpoint.text, [note.Signer("witness.example.com", KEYS[2])])
    assert not log.open_signed(sign(3, KEYS[0]) + witness.rpartition("\n\n")[2]).has_unknown
