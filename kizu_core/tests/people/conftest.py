"""Fixtures: a real database, alone or shared by tests."""

from __future__ import annotations

from kizu_support.album import album
from kizu_support.postgres import kizu_database, postgres, shared_database
from kizu_support.queue import queue

__all__ = ["album", "kizu_database", "postgres", "queue", "shared_database"]
