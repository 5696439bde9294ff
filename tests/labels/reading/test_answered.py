"""What a label service answers of a label is believed as far as the signature that was checked here lets us."""

from typing import Any

import pytest

from labels.judgement import Standing
from labels.reading import answered
from labels.reading.verdict import Verdict
from labels.signature import LabelFault

FORGED = Verdict(Standing.PROBLEM, "Problem", "It was made up.", LabelFault.BAD_SIGNATURE, by="a bundle")
UNKNOWN = Verdict(Standing.PROBLEM, "Problem", "By no key that is known.", LabelFault.UNKNOWN_KEY, by="a bundle")
SIGNED = Verdict(Standing.SIGNED, "Signed", "It is signed.", "unlisted", by="a bundle")


def answer(verdict: str, **more: Any) -> dict[str, Any]:
    """A page as a service gives it."""
    texts = {"headline": verdict, "reason": "Because.", "fault": "", "issuer": "", "issued": ""}
    return {"verdict": verdict, **texts, "recalls": [], **more}


@pytest.mark.parametrize("page", [None, [], "genuine", {}, answer("splendid"), answer("genuine", reason=1)], ids=repr)
def test_an_answer_that_is_no_page_is_told(page: object) -> None:
    """The label is then no better than it is by itself, and with a warning not good."""
    told = answered.by_service(page, SIGNED, by="a service")
    assert (told.standing, told.notes) == (Standing.SIGNED, ("a service gives no verdict that can be read",))
    assert not told.is_good


def test_a_signed_label_is_what_the_service_says() -> None:
    """Genuine, or not."""
    assert answered.by_service(answer("genuine"), SIGNED, by="a service").is_good
    assert answered.by_service(answer("problem"), SIGNED, by="a service").standing is Standing.PROBLEM


def test_a_key_that_the_bundle_does_not_know_may_be_a_newer_one() -> None:
    """If the service calls its label genuine a newer bundle will tell; if it does not, nothing is to be hoped for."""
    told = answered.by_service(answer("genuine"), UNKNOWN, by="a service")
    assert told.standing is Standing.NOT_PROVEN and "get a newer one" in told.reason and not told.is_good
    assert answered.by_service(answer("problem"), UNKNOWN, by="a service") is UNKNOWN


def test_a_forged_label_stays_one() -> None:
    """Whatever a service calls it."""
    for said in Standing:
        assert answered.by_service(answer(said), FORGED, by="a service") is FORGED


@pytest.mark.parametrize(("perhaps", "note"), [(True, "Perhaps recalled"), (False, "RECALLED"), (1, "RECALLED")])
def test_a_recall_that_a_page_tells_is_a_warning(perhaps: object, note: str) -> None:
    """As sure as the page is of it."""
    told = answered.by_service(answer("genuine", recalls=[{"perhaps": perhaps}]), SIGNED, by="a service")
    assert told.notes == (f"{note}: its page says why",) and not told.is_good
