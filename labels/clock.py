"""The day that labels are issued on."""

from datetime import UTC, datetime

from labels.signature import day_of


def today() -> int:
    """The present day's number, in UTC."""
    return day_of(datetime.now(UTC).date())
