"""The SQL side runs on a real server."""

from __future__ import annotations

from kizu_support.postgres import kizu_database, postgres

__all__ = ["kizu_database", "postgres"]
