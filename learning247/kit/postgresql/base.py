"""Django's PostgreSQL backend (`ENGINE = "learning247.kit.postgresql"`), its health check without a round trip."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    health_check_enabled: bool
    health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        """Ask the server whether the connection is good only if something lies unread on it.

        A server that restarts, or that ends this session, closes its side: the kernel knows. Django would send a
        `SELECT 1` before the first statement of every request.
        """
        if self.connection is None or self.health_check_done:
            return
        if self.health_check_enabled and not self.connection.closed and not _has_unread(self.connection.fileno()):
            self.health_check_done = True
            return
        super().close_if_health_check_failed()


def _has_unread(descriptor: int) -> bool:
    """Whether bytes or an end wait there. Not `select()`, which ends at 1,024 descriptors."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLPRI)
    return bool(poll.poll(0))
