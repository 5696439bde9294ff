"""Linters of dates and times. They know no clock.

A year of two digits lies in the hundred years around today (GS1 General Specifications, 7.12). Any such years have
2000 for their 00, which was a leap year, until 2050 comes near: so it is one exactly if four divides it.
"""

from labels.gs1.errors import Fault, Rule, excerpt

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def yymmd0(text: str) -> Fault | None:
    """A date, or its day is 00: the month's last, or not told."""
    return _date(text, int(text[:2]) % 4 == 0, first_day=0)


def yymmdd(text: str) -> Fault | None:
    """A date."""
    return _date(text, int(text[:2]) % 4 == 0, first_day=1)


def yyyymmdd(text: str) -> Fault | None:
    """A date with all digits of its year."""
    year = int(text[:4])
    return _date(text, (year % 4 == 0 and year % 100 != 0) or year % 400 == 0, first_day=1)


def hh(text: str) -> Fault | None:
    """An hour."""
    return _part(text, 23, "hour")


def mi(text: str) -> Fault | None:
    """A minute."""
    return _part(text, 59, "minute")


def ss(text: str) -> Fault | None:
    """A second."""
    return _part(text, 59, "second")


def hhmi(text: str) -> Fault | None:
    """An hour and a minute."""
    if fault := hh(text[:2]):
        return fault
    fault = mi(text[2:])
    return fault and fault._replace(at=2)


def _date(text: str, leap: bool, *, first_day: int) -> Fault | None:
    month, day = int(text[-4:-2]), int(text[-2:])
    if not 1 <= month <= 12:
        return Fault(Rule.DATE, f"{excerpt(text)} has no month {month:02}", len(text) - 4)
    if first_day <= day <= _DAYS[month - 1] or (day == 29 and month == 2 and leap):
        return None
    return Fault(Rule.DATE, f"{excerpt(text)} has no day {day:02}", len(text) - 2)


def _part(text: str, most: int, name: str) -> Fault | None:
    return Fault(Rule.TIME, f"there is no {name} {text}") if int(text) > most else None
