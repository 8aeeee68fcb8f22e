"""Passwords of the three login roles: a file in libpq's own `passfile` form, 0600, inside the database folder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

LOGIN_ROLES = ("kizu_owner", "kizu_worker", "kizu_api")
ITERATIONS = 4096  # PostgreSQL's own default; the passwords are 256 random bits


def new_passwords() -> dict[str, str]:
    """Fresh random passwords, without characters that a URL or a passfile would have to escape."""
    return {role: secrets.token_urlsafe(32) for role in LOGIN_ROLES}


def write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    """Write the passfile for its owner only."""
    text = "".join(f"*:*:*:{role}:{password}\n" for role, password in passwords.items())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_passwords(path: Path) -> dict[str, str] | None:
    """Role -> password, or None when the file is absent or not complete."""
    try:
        rows = [line.split(":") for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return None
    found = {row[3]: row[4] for row in rows if len(row) == 5 and row[4]}
    return found if set(LOGIN_ROLES) <= set(found) else None


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for a password (RFC 5803), so that the password itself never enters an SQL text."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"
