"""The environment of a laptop: secrets made on the spot, and the addresses of the local stack.

No secret is committed and none has a default. Every command of the checkout reads the same ones from `var/`.
"""

import json
import os
import secrets
from pathlib import Path

from learning247.embedded.locks import locked

PORT_VARIABLES = {"PORT": "8080", "SANDBOX_PORT": "8090"}
SECRET_PREFIXES = {
    "SESSION_SECRET": "",
    "JWT_SECRET": "",
    "FIELD_ENCRYPTION_KEY": "",
    "PAYSTACK_SECRET_KEY": "sk_test_",
    "STRIPE_SECRET_KEY": "sk_test_",
    "STRIPE_WEBHOOK_SECRET": "whsec_",
    "GOOGLE_CLIENT_SECRET": "GOCSPX-",
}


def local_environment(var: Path) -> dict[str, str]:
    """Every variable that local work needs and that is not set yet: what is set by hand always wins.

    The ports are those of the stack that runs from this checkout: a command in another terminal finds it.
    """
    values = _secrets(var / "local-secrets.json") | _addresses(var)
    return {name: value for name, value in values.items() if not os.environ.get(name)}


def stack_file(var: Path) -> Path:
    """Where the running stack writes its ports and processes."""
    return var / "run" / "stack.json"


def _addresses(var: Path) -> dict[str, str]:
    ports = PORT_VARIABLES | _ports_of_the_stack(var)
    ports = {name: os.environ.get(name) or port for name, port in ports.items()}
    web = f"http://127.0.0.1:{ports['PORT']}"
    sandbox = f"http://127.0.0.1:{ports['SANDBOX_PORT']}"
    return {
        **ports,
        "PAYSTACK_BASE_URL": f"{sandbox}/paystack",
        "STRIPE_API_BASE": f"{sandbox}/stripe",
        "SANDBOX_PAYSTACK_WEBHOOK_URL": f"{web}/api/webhooks/paystack",
        "SANDBOX_STRIPE_WEBHOOK_URL": f"{web}/api/webhooks/stripe",
        "GOOGLE_CLIENT_ID": "learning247-local.apps.googleusercontent.com",
        "GOOGLE_CALLBACK_URL": f"{web}/auth/google/callback",
        "GOOGLE_AUTHORIZE_URL": f"{sandbox}/google/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": f"{sandbox}/google/token",
        "GOOGLE_ISSUER": f"{sandbox}/google",
        # The sandbox has a stand-in for the web client's pages; a real one is named by hand.
        "FRONTEND_URL": f"{sandbox}/client",
        "SANDBOX_STATE": str(var / "sandbox" / "state.json"),
    }


def _ports_of_the_stack(var: Path) -> dict[str, str]:
    try:
        return dict(json.loads(stack_file(var).read_text())["ports"])
    except FileNotFoundError:
        return {}


def _secrets(path: Path) -> dict[str, str]:
    with locked(path.parent / "run" / "secrets.lock"):
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        made = {
            name: f"{prefix}{secrets.token_hex(24)}" for name, prefix in SECRET_PREFIXES.items() if name not in known
        }
        if made:
            _write_privately(path, json.dumps(known | made, indent=2))
    return known | made


def _write_privately(path: Path, text: str) -> None:
    staged = path.with_suffix(".new")
    staged.unlink(missing_ok=True)
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    staged.replace(path)
