"""A label's signature: 70 bytes in 169 digits, and each way in which a label is not genuine."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey as SodiumKey

from labels import gs1
from labels.signature import (
    LabelError,
    LabelFault,
    LabelKey,
    LabelSignature,
    date_of,
    day_of,
    decode_digits,
    sign_label,
    verify_label,
)
from ledger.keys import SigningKey, thumbprint
from ledger.registry import LabelScope

DAY = day_of(date(2025, 11, 21))
PATH = "/01/09506000134352/21/7K3M9QX2AB"
KEY = SigningKey(bytes(range(32)))
LINE = LabelKey(KEY.public, "https://example.com", ("0950600013",), DAY - 10, DAY + 10)
DIGITS = sign_label(KEY, DAY, PATH)


def link(path: str = PATH, digits: str = DIGITS, *, host: str = "ID.EXAMPLE.COM", more: str = "") -> gs1.DigitalLink:
    """The link of a label, as it is read from its code."""
    return gs1.parse(f"https://{host}{path}?s={digits}{more}")


def fault(link: gs1.DigitalLink, keys: Sequence[LabelKey] = (LINE,), today: int | None = DAY) -> LabelError:
    """Why this label is refused."""
    with pytest.raises(LabelError) as caught:
        verify_label(link, keys, today)
    return caught.value


def test_a_signed_label_is_genuine() -> None:
    """A label verifies under its key, whichever host it names and whatever else is in the query."""
    assert verify_label(link(), [LINE], DAY) == LINE
    assert verify_label(link(host="elsewhere.example:8443/x", more="&linkType=all&17=270630"), [LINE]) == LINE


def test_the_bytes_are_as_designed() -> None:
    """Hint, day and signature are what any Ed25519 library makes of the documented message."""
    message = b"TALLYSTICK-LABEL/1" + thumbprint(KEY.public) + DAY.to_bytes(2, "big") + PATH.encode()
    signature = bytes(SodiumKey(bytes(range(32))).sign(message).signature)
    value = thumbprint(KEY.public)[:4] + DAY.to_bytes(2, "big") + signature
    assert f"{int.from_bytes(value, 'big'):0169}" == DIGITS
    assert len(DIGITS) == 169


def test_however_the_path_is_spelled_it_is_one() -> None:
    """A scanner may encode what it likes in a path: the signature is over the canonical one."""
    path = "/01/09506000134352/10/a%2Fb/21/S"
    digits = sign_label(KEY, DAY, path)
    assert verify_label(link("/01/9506000134352/10/%61%2fb/21/S", digits), [LINE]) == LINE
    assert fault(link("/01/09506000134352/10/A%2Fb/21/S", digits)).fault is LabelFault.BAD_SIGNATURE


def test_every_changed_digit_is_seen() -> None:
    """No digit of the signature may be another one."""
    for at in range(169):
        changed = DIGITS[:at] + str((int(DIGITS[at]) + 1) % 10) + DIGITS[at + 1 :]
        assert fault(link(digits=changed)).fault in (
            LabelFault.BAD_SIGNATURE,
            LabelFault.UNKNOWN_KEY,
            LabelFault.MALFORMED,
        )


@pytest.mark.parametrize(
    "path",
    ["/01/09506000134352", "/01/09506000134352/21/7K3M9QX2AC", "/01/09506000134352/10/L/21/7K3M9QX2AB"],
)
def test_a_signature_is_for_its_path_only(path: str) -> None:
    """A signature says nothing of another item, nor of the product as such."""
    assert fault(link(path)).fault is LabelFault.BAD_SIGNATURE


def test_a_label_without_one_signature_is_refused() -> None:
    """No signature and two signatures are both none."""
    assert fault(gs1.parse(f"https://a{PATH}?x=1")).fault is LabelFault.UNSIGNED
    assert fault(gs1.parse(f"https://a{PATH}#s={DIGITS}")).fault is LabelFault.UNSIGNED
    assert fault(link(more=f"&s={DIGITS}")).fault is LabelFault.MALFORMED


def test_a_key_that_nobody_vouches_for() -> None:
    """A label that is signed well, but by no key of the bundle, is not genuine."""
    other = SigningKey.generate()
    assert fault(link(digits=sign_label(other, DAY, PATH))).fault is LabelFault.UNKNOWN_KEY
    assert fault(link(), []).fault is LabelFault.UNKNOWN_KEY


def test_the_hint_decides_nothing() -> None:
    """Of several keys with one hint, the one that signed is found; a hint at another's key helps nobody."""
    other = SigningKey.generate()
    mine = decode_digits(sign_label(other, DAY, PATH))
    assert fault(link(digits=replace(mine, hint=KEY.kid[:4]).digits)).fault is LabelFault.BAD_SIGNATURE
    twin = LabelKey(other.public, "https://other.example", LINE.gtins, 0, 9999)
    object.__setattr__(twin, "thumbprint", KEY.kid[:4] + twin.thumbprint[4:])
    assert verify_label(link(), [twin, LINE], DAY) == LINE


def test_a_key_of_one_brand_cannot_sign_for_another() -> None:
    """A good key's label for a GTIN out of its scope is refused, and the refusal says whose key it was."""
    error = fault(link(), [replace_line(gtins=("0950700", "19506000134359"))])
    assert error.fault is LabelFault.WRONG_GTIN
    assert error.key is not None
    assert "https://example.com's key may not sign for GTIN 09506000134352" in str(error)
    assert fault(link(), [replace_line(gtins=("",))]).fault is LabelFault.WRONG_GTIN
    assert verify_label(link(), [replace_line(gtins=("09506000134352",))])


def replace_line(
    gtins: tuple[str, ...] = LINE.gtins,
    first_day: int = LINE.first_day,
    last_day: int = LINE.last_day,
    revoked: bool = False,
) -> LabelKey:
    """The line with something else in it."""
    return LabelKey(KEY.public, LINE.organisation, gtins, first_day, last_day, revoked)


def test_days_are_checked_at_both_ends() -> None:
    """A label is issued on one of its key's days, the first and last among them, and not in the future."""
    assert verify_label(link(), [replace_line(first_day=DAY, last_day=DAY)], DAY)
    assert fault(link(), [replace_line(first_day=DAY + 1)]).fault is LabelFault.WRONG_DAY
    assert fault(link(), [replace_line(last_day=DAY - 1)]).fault is LabelFault.WRONG_DAY
    assert fault(link(), today=DAY - 1).fault is LabelFault.FUTURE
    assert verify_label(link(), [LINE], None)


def test_revoked_is_said_last() -> None:
    """A revoked key's label is refused; and as nothing else is wrong with it then, its batch can save it."""
    assert fault(link(), [replace_line(revoked=True)]).fault is LabelFault.REVOKED
    assert fault(link(), [replace_line(revoked=True, first_day=DAY + 1)]).fault is LabelFault.WRONG_DAY
    assert fault(link(), [LINE, replace_line(revoked=True)]).fault is LabelFault.REVOKED


def test_a_key_may_have_several_lines() -> None:
    """Where one key has a line for each batch, it is enough that one of them covers the label."""
    lines = [replace_line(gtins=("1",)), replace_line(last_day=DAY - 1), LINE]
    assert verify_label(link(), lines, DAY) == LINE


def test_only_products_are_labelled() -> None:
    """What is signed is the canonical path of a product, on a day that two bytes hold."""
    with pytest.raises(ValueError, match="not the canonical path"):
        sign_label(KEY, DAY, "/00/952012345678912345")
    with pytest.raises(ValueError, match="not the canonical path"):
        sign_label(KEY, DAY, "/01/9506000134352")
    with pytest.raises(ValueError, match="not the canonical path"):
        sign_label(KEY, DAY, f"{PATH}?s=1")
    with pytest.raises(gs1.Gs1Error, match="check digit"):
        sign_label(KEY, DAY, "/01/09506000134353")
    with pytest.raises(ValueError, match="day 65536"):
        sign_label(KEY, 65536, PATH)


def test_days_count_from_2020() -> None:
    """Day 0 is 2020-01-01; what two bytes do not hold is no day."""
    assert (day_of(date(2020, 1, 1)), date_of(1)) == (0, date(2020, 1, 2))
    with pytest.raises(ValueError, match="2019-12-31"):
        day_of(date(2019, 12, 31))


def test_a_registered_key_is_a_line() -> None:
    """A label key as the registry has it becomes a line of the bundle."""
    scope = LabelScope(KEY.public, LINE.organisation, LINE.gtins, LINE.first_day, LINE.last_day)
    assert LabelKey.of(scope) == LINE


def test_a_batchs_key_is_a_line_too() -> None:
    """With its lot and root, in the bundle as in its entry."""
    scope = LabelScope(KEY.public, LINE.organisation, LINE.gtins, DAY, DAY, lot="L1", batch=bytes(32))
    line = LabelKey.of(scope)
    assert (line.lot, line.batch, line.entry()["lot"], line.entry()["batch"]) == ("L1", bytes(32), "L1", bytes(32))
    assert not {"lot", "batch"} & LINE.entry().keys()
    assert (line.covers_lot("L1"), line.covers_lot(None), line.covers_lot("L2")) == (True, True, False)


@pytest.mark.parametrize(
    "digits",
    ["", "1" * 168, "1" * 170, "-" + "1" * 168, "9" * 169, str(2**560), "\u0661" * 169, "1_" * 84 + "1", " " * 169],
)
def test_malformed_digits(digits: str) -> None:
    """Anything but 169 ASCII digits of a number below 2^560 is refused."""
    with pytest.raises(LabelError, match="label's signature is") as caught:
        decode_digits(digits)
    assert caught.value.fault is LabelFault.MALFORMED


@given(st.text("0123456789", min_size=169, max_size=169) | st.text())
def test_decode_is_total(digits: str) -> None:
    """Any text is a signature, whose digits it is again, or a LabelError."""
    try:
        signature = decode_digits(digits)
    except LabelError:
        return
    assert signature.digits == digits


@given(st.binary(min_size=4, max_size=4), st.integers(0, 65535), st.binary(min_size=64, max_size=64))
def test_signatures_go_through_digits(hint: bytes, day: int, signature: bytes) -> None:
    """Any 70 bytes come back from their digits."""
    label = LabelSignature(hint, day, signature)
    assert decode_digits(label.digits) == label


@given(st.text("0123456789", min_size=169, max_size=169))
def test_nothing_made_up_verifies(digits: str) -> None:
    """Digits that no key has made never verify, and raise nothing but LabelError."""
    fault(link(digits=digits))
