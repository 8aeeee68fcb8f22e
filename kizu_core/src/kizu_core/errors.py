"""Everything that Kizu raises on purpose.

    KizuError
    ├── SettingError            a setting is missing, malformed or refused
    ├── PluginError             a plugin can't be used
    │   ├── NoSuchModel         nothing installed answers to that kind or name
    │   ├── ModelUnavailable    installed, but its weights or library are not there (retryable)
    │   └── ModelFailed         it raised on this picture
    ├── DatabaseError           the database answered with an error
    │   ├── DatabaseUnavailable it can't be reached now                    (retryable)
    │   ├── SchemaMismatch      its schema is not the one this version speaks
    │   └── LeaseLost           another worker owns the job now
    ├── MediaError              the picture itself is at fault
    │   ├── UnreadablePicture   damaged, cut short or empty
    │   ├── UnsupportedFormat   a format that Kizu does not read
    │   └── PictureTooLarge     more pixels than the limits allow
    ├── FetchError
    │   ├── FetchRefused        an address that Kizu never connects to
    │   ├── SourceMissing       the original is not where it should be
    │   └── FetchFailed         the storage did not answer well            (retryable)
    ├── StorageError
    │   └── DiskFull            no space left where Kizu writes            (retryable)
    ├── LibraryError            a photo folder can't be read or is not there
    ├── QueryError              a search that can't be made
    ├── JobError                a job row asks for something impossible
    │   ├── JobCancelled        the user took it back
    │   └── JobTimeout          it ran past its limit                      (retryable)
    ├── WorkerError
    │   ├── ChildCrashed        the model process died                     (retryable)
    │   └── OutOfMemory         it got no more memory, and lives           (retryable)
    └── EgressRefused           something tried to send out what must not leave

An error is one sentence for a person, an optional next step (`hint`), a stable `code` that is the same
in logs, job rows and JSON, and whether trying again can help (`retryable`).
"""

from __future__ import annotations

from typing import Any, ClassVar


class KizuError(Exception):
    """Base of all errors that Kizu shows to people without a traceback."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        """JSON form, as written to job rows and frames: code, message, hint, retryable."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "retryable": self.retryable}


class SettingError(KizuError):
    code = "setting"


class PluginError(KizuError):
    code = "plugin"


class NoSuchModel(PluginError):
    code = "no_such_model"


class ModelUnavailable(PluginError):
    code = "model_unavailable"
    retryable = True


class SwitchError(PluginError):
    """The model that answers can't be changed so."""

    code = "switch"


class ConsentMissing(ModelUnavailable):
    """Its weights come under terms that the user has not agreed to yet."""

    code = "consent_missing"


class ModelFailed(PluginError):
    code = "model_failed"


class DatabaseError(KizuError):
    code = "database"


class DatabaseUnavailable(DatabaseError):
    code = "database_unavailable"
    retryable = True


class SchemaMismatch(DatabaseError):
    code = "schema_mismatch"


class LeaseLost(DatabaseError):
    code = "lease_lost"


class MediaError(KizuError):
    code = "media"


class UnreadablePicture(MediaError):
    code = "unreadable_picture"


class UnsupportedFormat(MediaError):
    code = "unsupported_format"


class PictureTooLarge(MediaError):
    code = "picture_too_large"


class FetchError(KizuError):
    code = "fetch"


class FetchRefused(FetchError):
    code = "fetch_refused"


class SourceMissing(FetchError):
    code = "source_missing"


class FetchFailed(FetchError):
    """`retry_after_s`: how long the storage asked to be left alone, None if it did not say."""

    code = "fetch_failed"
    retryable = True

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class StorageError(KizuError):
    code = "storage"


class DiskFull(StorageError):
    code = "disk_full"
    retryable = True


class LibraryError(KizuError):
    code = "library"


class QueryError(KizuError):
    code = "query"


class JobError(KizuError):
    code = "job"


class JobCancelled(JobError):
    code = "cancelled"


class JobTimeout(JobError):
    code = "job_timeout"
    retryable = True


class WorkerError(KizuError):
    code = "worker"


class ChildCrashed(WorkerError):
    code = "child_crashed"
    retryable = True


class OutOfMemory(WorkerError):
    code = "out_of_memory"
    retryable = True


class EgressRefused(KizuError, PermissionError):
    """An `OSError` as well: libraries that can do without the network then go on as they would without one."""

    code = "egress_refused"


def _tree(root: type[KizuError]) -> dict[str, type[KizuError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


class RemoteError(KizuError):
    """An error that crossed a process boundary and is no class of ours here (a plugin's own, say)."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(str(data.get("message") or "unknown error"), hint=data.get("hint"))
        self._data = data

    def as_dict(self) -> dict[str, Any]:
        known = {"code": self._data.get("code", "error"), "retryable": bool(self._data.get("retryable"))}
        return {**super().as_dict(), **known}


def from_dict(data: dict[str, Any]) -> KizuError:
    """The error that `KizuError.as_dict` described; `RemoteError` when the code is not one of this tree."""
    known = _tree(KizuError).get(str(data.get("code")))
    if known is None or known is KizuError:
        return RemoteError(data)
    return known(str(data.get("message") or known.code), hint=data.get("hint"))
