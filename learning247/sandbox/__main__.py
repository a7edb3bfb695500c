"""``python -m learning247.sandbox``: run the offline gateways until told to stop."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from learning247.sandbox.config import ConfigError, read_config
from learning247.sandbox.server import PortTakenError, build_server, listen
from learning247.sandbox.state import StateError


def stop(number: int, frame: FrameType | None) -> None:
    """A signal to end is an order carried out, not a failure."""
    raise SystemExit(0)


def main() -> int:
    # The server puts its own handlers over these while it runs, and raises the signal again when it is done.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        wanted = read_config(os.environ)
        listener = listen(wanted.host, wanted.port)
        config = wanted.with_port(listener.getsockname()[1])
        server = build_server(config)
    except (ConfigError, PortTakenError, StateError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    sys.stdout.write(f"sandbox: Paystack, Stripe and Google on {config.public_url}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
