"""Patients and studies under other names: the same for the same person, and not to be traced back without a secret key."""
from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError, OutputError
from .derivation import SOFTWARE

LEAST_KEY, DIGITS = 16, 16  # bytes; hexadecimal digits
METHOD = f"{SOFTWARE}: new identifiers; of the source only technical elements were kept"


@dataclass(frozen=True)
class Pseudonyms:
    """key: at least 16 bytes that nobody else knows."""

    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key, which tells keys apart and reveals none."""
        return hashlib.sha256(self.key).hexdigest()

    def digest(self, *parts: str) -> str:
        """HMAC-SHA-256 (RFC 2104) of texts, hexadecimal."""
        return hmac.new(self.key, "\n".join(parts).encode("utf-8", "backslashreplace"), "sha256").hexdigest()

    def patient(self, *identity: str) -> str:
        """For PatientID and PatientName."""
        return f"{SOFTWARE}-{self.digest('patient', *identity)[:DIGITS]}"

    @staticmethod
    def of(path: str | Path) -> Pseudonyms:
        """The key in a file, which is made where it does not exist. Raises InputError where it is none, OutputError where it cannot be made."""
        path = Path(path)
        try:
            if not path.exists():
                _make(path)
        except OSError as error:
            raise OutputError(f"The key {path} cannot be made ({error.strerror}); choose another place for it.") from error
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise InputError(f"The key {path} cannot be read ({error.strerror}); give another file, or a name that is free.") from error
        if len(key) < LEAST_KEY:
            raise InputError(f"The key {path} is shorter than {LEAST_KEY} bytes, so it could be guessed; give a longer one, or a name that is free.")
        return Pseudonyms(key)


def _make(path: Path) -> None:
    """A new key, for its owner alone. Of processes that make it at once the first gives it its name, and all read the same."""
    aside = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)
