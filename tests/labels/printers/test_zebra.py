"""A printer that speaks ZPL: what it says of itself, and what came out of it."""

import socket
import time

import pytest

from labels.printers.address import Address
from labels.printers.patience import Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import Wire
from labels.printers.zebra import Zebra
from labels.printers.zebra_status import ZebraStatus
from ledger.errors import MalformedError, UserError
from tests.labels.printers.fake_zebra import FakeZebra, host_status
from tests.running import eventually

SOON = Patience(answer_s=0.4, stall_s=0.8, poll_s=0.02)
LABELS = [b"^XA^FO1,1^A0N,20,20^FDlabel %d^FS^XZ" % number for number in range(12)]


def run(printer: FakeZebra, labels: list[bytes] = LABELS, patience: Patience = SOON) -> list[int]:
    """Print labels, and return what was told on the way."""
    told: list[int] = []
    with Wire(printer.address, timeout_s=0.5) as wire:
        Zebra(wire, patience, name="zebra").print(labels, tell=told.append)
    return told


def stopped(printer: FakeZebra, labels: list[bytes] = LABELS) -> StoppedError:
    """The same where it must not go well. Whatever is told as out is out, and what is told as not, never comes."""
    with pytest.raises(StoppedError) as raised:
        run(printer, labels)
    error = raised.value
    printer.mend()
    assert labels[: error.came_out] == printer.printed[: error.came_out]
    lost = labels[error.came_out + error.doubtful :]
    assert not set(lost) & {*printer.printed, *printer.spoiled}
    return error


def test_labels_come_out_and_are_counted() -> None:
    """Each label comes out once and in order, and how many are out is told on the way."""
    with FakeZebra() as printer:
        told = run(printer)
        assert printer.printed == LABELS
    assert told == sorted(told) and told[-1] == 12


@pytest.mark.parametrize("counts_current", ["remaining", "formats", "nowhere"])
@pytest.mark.parametrize("paper", [0, 1, 5, 11])
def test_a_roll_that_ends_half_way(paper: int, counts_current: str) -> None:
    """What came out is told, at most two labels are doubtful, and the rest does not come out with the next roll.

    Wherever the printer counts the label that lies under its head.
    """
    with FakeZebra(paper=paper, counts_current=counts_current) as printer:
        error = stopped(printer)
        assert "out of labels" in str(error) and error.hint == "mend it"
        assert error.came_out <= paper <= error.came_out + error.doubtful
        assert paper - error.came_out <= 1 and error.doubtful <= 2
        assert len(printer.printed) == paper and printer.spoiled == [LABELS[paper]]


def test_many_labels_are_not_sent_at_once() -> None:
    """A printer that stops at the fortieth of sixty has not been sent the last twelve."""
    many = [b"^XA^FDlabel %d^FS^XZ" % number for number in range(60)]
    with FakeZebra(paper=40, label_s=0.002) as printer:
        error = stopped(printer, many)
        assert error.came_out in (39, 40) and 40 <= error.came_out + error.doubtful <= 42
        assert printer.came == 48


def test_it_comes_out_of_a_roll_that_just_suffices() -> None:
    """A roll of as many labels as there are is enough."""
    with FakeZebra(paper=12) as printer:
        run(printer)
        assert printer.printed == LABELS


def test_a_printer_that_does_not_forget() -> None:
    """If the rest cannot be called back, all of it is doubtful, and the hint says that it may come out yet."""
    with FakeZebra(paper=4, forgets=False) as printer:
        error = stopped(printer)
        assert (error.came_out, error.doubtful) == (3, 9) and "switch it off" in error.hint
        eventually(lambda: printer.printed == LABELS)


def test_a_printer_that_falls_silent_when_it_is_out() -> None:
    """A Zebra that answers nothing when it is out of labels leaves all in doubt that it did not confirm before."""
    with FakeZebra(paper=4, silent_when_out=True) as printer:
        error = stopped(printer)
        assert error.came_out <= 4 and error.came_out + error.doubtful == 12
        assert "out of labels or ribbon" in str(error) and "switch it off" in error.hint


@pytest.mark.parametrize(
    ("fault", "told"),
    [("paper", "out of labels"), ("head", "head is open"), ("ribbon", "out of ribbon"), ("pause", "paused")],
)
def test_nothing_is_sent_to_a_printer_that_cannot(fault: str, told: str) -> None:
    """Its fault is told, and nothing comes out when it is mended."""
    with FakeZebra(fault=fault) as printer:
        error = stopped(printer)
        assert told in str(error) and (error.came_out, error.doubtful) == (0, 0)
        assert printer.printed == []


@pytest.mark.parametrize("answer", [b"", b"\x02030,0,0", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 40, b"\x02\x03" * 3])
def test_nothing_is_sent_to_what_is_no_printer(answer: bytes) -> None:
    """What answers nothing, half, or as a web server is sent no label."""
    with FakeZebra(answer=lambda truth: [answer]) as printer:
        error = stopped(printer)
        assert (error.came_out, error.doubtful) == (0, 0) and printer.printed == []
        assert "is it a printer for ZPL?" in error.hint


def test_an_answer_in_pieces_is_put_together() -> None:
    """An answer may come byte by byte."""
    with FakeZebra(answer=lambda truth: [truth[i : i + 1] for i in range(len(truth))]) as printer:
        run(printer, LABELS[:3])
        assert printer.printed == LABELS[:3]


def test_garbage_half_way_is_not_believed() -> None:
    """What a printer says that has begun to babble counts for nothing: what it said before, counts."""
    with FakeZebra(label_s=0.05) as printer:
        printer.answer = lambda truth: [truth] if len(printer.printed) < 3 else [b"\x02?,?\x03" * 3]
        error = stopped(printer)
        assert "no printer's status" in str(error) and error.came_out + error.doubtful == 12


@pytest.mark.parametrize("after", [1, 6, 12])
def test_a_printer_that_goes_away(after: int) -> None:
    """A connection that ends leaves in doubt all that was not confirmed."""
    with FakeZebra(hangs_up_after=after) as printer:
        error = stopped(printer)
        assert "ended the connection" in str(error) and "switch it off" in error.hint
        assert error.came_out + error.doubtful == 12


def test_a_printer_that_takes_nothing() -> None:
    """A printer whose memory is full takes no more, and that is told in the end."""
    with FakeZebra() as printer:
        large = [b"^XA" + bytes(4_000_000) + b"^XZ"] * 2

        def last(truth: bytes) -> list[bytes]:
            printer.reads = False
            return [truth]

        printer.answer = last
        error = stopped(printer, large)
        assert "taken nothing for 0.5 s" in str(error) and (error.came_out, error.doubtful) == (0, 2)


def test_a_printer_that_stands_still() -> None:
    """A printer that says that it prints, and does not, is given up after a while, and told to forget."""
    with FakeZebra(label_s=3) as printer:
        started = time.monotonic()
        error = stopped(printer, LABELS[:2])
        assert "nothing has moved for 0.8 s" in str(error) and time.monotonic() - started < 12


def test_what_others_sent_is_waited_for() -> None:
    """Labels that others sent come out first, and are not counted as ours."""
    with (
        FakeZebra(label_s=0.05) as printer,
        socket.create_connection((printer.address.host, printer.address.port)) as other,
    ):
        other.sendall(b"".join(LABELS[:5]))
        other.close()
        run(printer, LABELS[5:])
        assert printer.printed == LABELS


def test_ipv6() -> None:
    """A printer may have an IPv6 address."""
    with FakeZebra(family=socket.AF_INET6) as printer:
        assert str(printer.address).startswith("[::1]:")
        run(printer, LABELS[:1])
        assert printer.printed == LABELS[:1]


def test_nobody_there() -> None:
    """An address where nobody listens, and a name that nobody has, are told with a hint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=f"127.0.0.1:{port} cannot be reached: Connection refused"):
        Wire(Address("127.0.0.1", port), timeout_s=1)
    with pytest.raises(UserError, match=r"nobody knows no-such-printer\.invalid"):
        Wire(Address("no-such-printer.invalid"), timeout_s=1)
    with pytest.raises(UserError, match="cannot open printer /dev/no-such"):
        Wire(Address("", 0, "/dev/no-such"), timeout_s=1)


def test_a_status_is_read() -> None:
    """Each flag is where Zebra's guide has it."""
    status = ZebraStatus.parse(host_status(formats=7, remaining=3, faults="paper head"))
    assert (status.formats, status.remaining, status.idle) == (7, 3, False)
    assert status.faults == ("the head is open", "it is out of labels")
    assert ZebraStatus.parse(host_status()).idle and not ZebraStatus.parse(host_status()).faults


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"\x03", b""), (b"030,0", b"030,2"), (b",007,", b",-07,"), (b"1234,0", b"1234"), (b"\x02", b"\x02\xff")],
)
def test_a_spoiled_status_is_refused(old: bytes, new: bytes) -> None:
    """Half an answer, a flag that is none, or a count that is none."""
    good = host_status(formats=7)
    assert old in good
    with pytest.raises(MalformedError):
        ZebraStatus.parse(good.replace(old, new))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("zebra.example.com", Address("zebra.example.com", 9100)),
        ("192.0.2.7:6101", Address("192.0.2.7", 6101)),
        ("[2001:db8::7]:9100", Address("2001:db8::7", 9100)),
        ("2001:db8::7", Address("2001:db8::7", 9100)),
        ("fe80::1%eth0", Address("fe80::1%eth0", 9100)),
        ("/dev/usb/lp0", Address("", 0, "/dev/usb/lp0")),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    """A name, IPv4 or IPv6, with or without a port; or a device."""
    assert Address.of(text) == address
    assert Address.of(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", ":9100", "a:0", "a:70000", "a b", "[zebra", "http://zebra", "-x", "[]:9100", "a:b:c:z"]
)
def test_what_is_no_address(text: str) -> None:
    """Anything else is told with a hint."""
    with pytest.raises(UserError, match="no address of a printer"):
        Address.of(text)
