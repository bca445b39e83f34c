"""
Times of people: which time zone a text means, and what its clocks show at a moment.

Everything stored is Unix seconds. They become a date and an hour in three places, each with one rule:

    attributes of Aim 3, such as `run.created_at`     UTC, without a zone                    `utc_without_zone`
    data frames and Arrow tables                      UTC, with the zone
    queries, tables and pages                         the clock of whoever reads, without a zone

The reader is the process that asks: its zone is that of the machine, or `TZ`. For a page it is the browser, which sends
its zone with each request.

A stored time may be anything, since clocks jump. A moment before the year 1 or after the year 9999, which a datetime
can't hold, counts as the first or the last moment that it can.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from aim.core.errors import UsageError

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000
# a day away from the ends, so that every zone has these moments
FIRST_US = (datetime.min - EPOCH) // MICROSECOND + DAY_US
LAST_US = (datetime.max - EPOCH) // MICROSECOND - DAY_US

ZoneName = str | float | tzinfo | None
"""How a time zone is said; see `read_zone`."""

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")


class ProcessZone(tzinfo):
    """
    The time zone of this process: that of the machine, or of the environment variable `TZ`.

    >>> ProcessZone()
    ProcessZone()
    """

    def __repr__(self) -> str:
        return "ProcessZone()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessZone)

    def __hash__(self) -> int:
        return hash(ProcessZone)

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return local time minus UTC at the local time *moment*; None without one, since it changes."""
        if moment is None:
            return None
        local = moment.replace(tzinfo=None, microsecond=0)
        try:
            return local - datetime.fromtimestamp(local.timestamp(), UTC).replace(tzinfo=None)
        except (OverflowError, ValueError, OSError):  # at the ends of what datetimes hold
            return timedelta()

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Return None: how much of the offset is summer time is not known."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """Return the name of the zone at the local time *moment*, such as `CET`."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        """Return the local time of a time in UTC."""
        try:
            local = datetime.fromtimestamp((moment.replace(tzinfo=None) - EPOCH) // timedelta(seconds=1))
            return local.replace(microsecond=moment.microsecond, tzinfo=self)
        except (OverflowError, ValueError, OSError):
            return moment


def read_zone(named: ZoneName) -> tzinfo:
    """
    Return the time zone that is meant.

    Args:
        named: a name such as `Europe/Berlin`, an offset such as `+02:00`, or several with commas between them, of
            which the first that this machine knows counts; or minutes of UTC minus local time, as browsers tell them:
            -120 in Berlin's summer; or None, for the zone of this process.

    Raises:
        UsageError: there is no such zone.

    >>> read_zone("+05:30"), read_zone(-120), read_zone("Nowhere/Land,UTC")
    (datetime.timezone(datetime.timedelta(seconds=19800)), datetime.timezone(datetime.timedelta(seconds=7200)), ...)
    """
    if named is None:
        return ProcessZone()
    if isinstance(named, tzinfo):
        return named
    if isinstance(named, str):
        for text in named.split(","):
            zone = _zone_of_text(text.strip())
            if zone is not None:
                return zone
    elif not isinstance(named, bool) and abs(named) < 24 * 60:
        return timezone(timedelta(minutes=-named))
    raise UsageError(
        f"There is no time zone {str(named)[:60]!r} on this machine. Give a name such as Europe/Berlin, or an offset "
        "such as +02:00."
    )


def _zone_of_text(text: str) -> tzinfo | None:
    if text in ("UTC", "Z"):
        return UTC
    offset = _OFFSET.fullmatch(text)
    if offset is not None:
        sign, hours, minutes = offset.groups("00")
        length = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-length if sign == "-" else length) if length < timedelta(days=1) else None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # here, since a training needs no names of zones

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as `Europe`
        return None


def local_time(seconds: float, zone: tzinfo) -> datetime:
    """
    Return what a clock in *zone* shows at a moment, without the zone, rounded to the microsecond (halves to even).

    >>> local_time(0.5, read_zone("+02:00"))
    datetime.datetime(1970, 1, 1, 2, 0, 0, 500000)
    >>> local_time(1e12, UTC).year
    9999
    """
    return local_time_of_us(round(min(max(seconds * 1e6, FIRST_US), LAST_US)), zone)


def local_time_of_us(micros: int, zone: tzinfo) -> datetime:
    """Return what a clock in *zone* shows so many microseconds after 1970, without the zone."""
    moment = EPOCH + timedelta(microseconds=min(max(micros, FIRST_US), LAST_US))
    return zone.fromutc(moment.replace(tzinfo=zone)).replace(tzinfo=None)


def unix_seconds(moment: datetime, zone: tzinfo) -> float:
    """
    Return the Unix seconds of a time that has its zone, or is on the clocks of *zone*.

    >>> unix_seconds(datetime(1970, 1, 1, 2), read_zone("+02:00"))
    0.0
    """
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()


def utc_without_zone(seconds: float) -> datetime:
    """
    Return Unix seconds as the datetime in UTC, without a zone, that the attributes of Aim 3 have.

    >>> utc_without_zone(0.5)
    datetime.datetime(1970, 1, 1, 0, 0, 0, 500000)
    """
    return local_time(seconds, UTC)
