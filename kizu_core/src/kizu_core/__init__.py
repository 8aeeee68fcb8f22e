"""Kizu core: what plugins and programs import. Everything is loaded on first use, so importing this costs nothing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any
