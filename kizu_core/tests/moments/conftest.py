"""Strategies as data, libraries as lists, and the SQL side on a real server."""

from __future__ import annotations

from kizu_support.postgres import kizu_database, postgres
from kizu_support.queue import queue
from kizu_support.two_users import users

__all__ = ["kizu_database", "postgres", "queue", "users"]
