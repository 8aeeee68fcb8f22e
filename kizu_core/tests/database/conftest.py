"""The SQL side runs on a real server, the launcher's side on Kizu's own embedded one."""

from __future__ import annotations

from kizu_support.embedded import database_template, library_home, library_settings, open_db
from kizu_support.postgres import kizu_database, postgres
from kizu_support.queue import queue
from kizu_support.two_users import users

__all__ = [
    "database_template",
    "kizu_database",
    "library_home",
    "library_settings",
    "open_db",
    "postgres",
    "queue",
    "users",
]
