"""``python -m learning247.sandbox``: run the offline gateways until told to stop."""

from __future__ import annotations

import os
import sys

from learning247.sandbox.config import ConfigError, read_config
from learning247.sandbox.server import PortTakenError, build_server, listen
from learning247.sandbox.state import StateError


def main() -> int:
    try:
        wanted = read_config(os.environ)
        listener = listen(wanted.host, wanted.port)
        config = wanted.with_port(listener.getsockname()[1])
        server = build_server(config)
    except (ConfigError, PortTakenError, StateError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    sys.stdout.write(f"sandbox: Paystack and Stripe on {config.public_url}\n")
    sys.stdout.flush()
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
