"""Time zones: whose clock says what day it is."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from kizu_core.errors import SettingError
from kizu_core.settings import Settings

UTC = "UTC"

_NAME = re.compile(r"UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2}")


def zone_here(settings: Settings) -> str:
    """The zone of this machine by its IANA name: the setting's, else the clock's; UTC where nobody knows.

    Raises `SettingError` for a setting that is no zone. TZ may say other things, which are passed over.
    """
    if settings.time_zone and settings.origin("time_zone").endswith(" TZ"):
        said = settings.time_zone.removeprefix(":")
        return said if _NAME.fullmatch(said) else _clock_zone()
    return checked_zone(settings.time_zone) if settings.time_zone else _clock_zone()


def checked_zone(name: str) -> str:
    """The zone's proper name, however its letters were typed. Raises `SettingError`, with others like it."""
    from zoneinfo import available_timezones

    zones = sorted(available_timezones() | {UTC})
    wanted = name.strip().replace(" ", "_").casefold()
    found = next((zone for zone in zones if zone.casefold() == wanted), None)
    if found is not None:
        return found
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in zones if "/" in zone}
    near = [cities[one] for one in difflib.get_close_matches(wanted.rpartition("/")[2], cities, 3, 0.75)]
    hint = f"Perhaps {' or '.join(near)}?" if near else "Such as Europe/Berlin or America/New_York."
    raise SettingError(f"There is no time zone {name!r}.", hint=hint)


def _clock_zone() -> str:
    """What the system's clock is set to: a link into the folder of zones, on Linux and macOS."""
    try:
        name = str(Path("/etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        return UTC
    return name if _NAME.fullmatch(name) else UTC
