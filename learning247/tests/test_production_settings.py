"""Production refuses to start with a secret that is weak or missing, and says in one message which."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "DJANGO_ENV": "production",
    "DJANGO_SETTINGS_MODULE": "learning247.settings.production",
    "PATH": os.environ["PATH"],
    "SESSION_SECRET": "session-" + "0123456789" * 5,
    "JWT_SECRET": "token-" + "0123456789" * 3,
    "FIELD_ENCRYPTION_KEY": "field-" + "0123456789" * 3,
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PAYSTACK_SECRET_KEY": "sk_live_1",
    "STRIPE_SECRET_KEY": "sk_live_2",
    "STRIPE_WEBHOOK_SECRET": "whsec_3",
    "EMAIL_HOST": "smtp.example.com",
    "DEFAULT_FROM_EMAIL": "Learning247 <no-reply@example.com>",
    "SUPPORT_EMAIL": "help@example.com",
    "AWS_BUCKET_NAME": "pictures",
    "AWS_REGION": "eu-west-1",
    "FRONTEND_URL": "",
    "REFRESH_COOKIE_SAMESITE": "",
}
CHECK = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
READ = """
import json
from django.conf import settings
names = ("FRONTEND_URL", "CORS_ALLOWED_ORIGINS", "REFRESH_COOKIE_SAMESITE", "REFRESH_COOKIE_SECURE")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def start(**changed: str) -> subprocess.CompletedProcess[str]:
    """Read production's settings in a process of their own."""
    return subprocess.run(
        [sys.executable, "-c", READ], env=GOOD | changed, cwd=ROOT, capture_output=True, text=True, check=False
    )


def refusal(**changed: str) -> str:
    """The message that production ends with."""
    ended = start(**changed)
    assert ended.returncode == 1, ended.stdout
    assert ended.stderr.count("ImproperlyConfigured: ") == 1, ended.stderr
    return ended.stderr.split("ImproperlyConfigured: ")[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", ""),
        ("JWT_SECRET", "x" * 31),
        ("SESSION_SECRET", ""),
        ("SESSION_SECRET", "x" * 49),
        ("FIELD_ENCRYPTION_KEY", ""),
        ("FIELD_ENCRYPTION_KEY", "x" * 31),
        ("FIELD_ENCRYPTION_KEY", "x" * 32 + ",short"),
        ("DATABASE_URL", ""),
        ("REDIS_URL", " "),
        ("PAYSTACK_SECRET_KEY", ""),
        ("STRIPE_SECRET_KEY", ""),
        ("STRIPE_WEBHOOK_SECRET", ""),
        ("EMAIL_HOST", ""),
        ("DEFAULT_FROM_EMAIL", ""),
        ("SUPPORT_EMAIL", " "),
        ("AWS_BUCKET_NAME", ""),
        ("AWS_REGION", " "),
        ("REFRESH_COOKIE_SAMESITE", "none of these"),
    ],
)
def test_what_is_missing_or_weak_is_named_alone(name, value):
    message = refusal(**{name: value})
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [name]


def test_one_message_names_everything_that_is_missing_and_repeats_no_secret():
    message = refusal(JWT_SECRET="tiny-secret", DATABASE_URL="", REDIS_URL="", EMAIL_HOST="")
    assert all(name in message for name in ("JWT_SECRET", "DATABASE_URL", "REDIS_URL", "EMAIL_HOST"))
    assert "tiny-secret" not in message


def test_a_google_client_is_whole_and_comes_back_over_https_or_is_not_there():
    client = {"GOOGLE_CLIENT_ID": "x.apps.googleusercontent.com"}
    callback = "https://api.example.com/auth/google/callback"

    said = refusal(**client, GOOGLE_CALLBACK_URL="http://api.example.com/auth/google/callback")
    assert re.findall(r"^  (\w+):", said, re.M) == ["GOOGLE_CLIENT_SECRET", "GOOGLE_CALLBACK_URL"]
    assert start(**client, GOOGLE_CLIENT_SECRET="GOCSPX-x", GOOGLE_CALLBACK_URL=callback).returncode == 0


def test_tokens_and_sessions_are_not_signed_with_one_secret():
    assert "are the same" in refusal(JWT_SECRET=GOOD["SESSION_SECRET"])


def test_the_client_is_the_real_one_unless_another_is_named_and_may_call_the_api():
    unset = json.loads(start().stdout)
    named = json.loads(start(FRONTEND_URL="https://www.example.com/app").stdout)
    assert (unset["FRONTEND_URL"], unset["CORS_ALLOWED_ORIGINS"]) == (
        "https://www.hallos.net",
        ["https://www.hallos.net"],
    )
    assert (named["FRONTEND_URL"], named["CORS_ALLOWED_ORIGINS"]) == (
        "https://www.example.com/app",
        ["https://www.example.com"],
    )


def test_the_refresh_cookie_travels_between_sites_over_https_unless_it_is_told_not_to():
    unset = json.loads(start().stdout)
    named = json.loads(start(REFRESH_COOKIE_SAMESITE="Strict").stdout)
    assert (unset["REFRESH_COOKIE_SAMESITE"], unset["REFRESH_COOKIE_SECURE"]) == ("None", True)
    assert named["REFRESH_COOKIE_SAMESITE"] == "Strict"


@pytest.mark.parametrize(
    ("changed", "warnings"),
    [
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, []),
        ({"TRUSTED_PROXIES": ""}, ["learning247.W001"]),
        ({}, ["learning247.W001"]),
        ({"TRUSTED_PROXIES": "10.0.0.0/8", "EMAIL_USE_TLS": "False"}, ["learning247.W002"]),
        ({"TRUSTED_PROXIES": "10.0.0.0/8", "EMAIL_USE_SSL": "True"}, []),
    ],
)
def test_the_deployment_check_names_what_an_operator_would_not_expect(changed, warnings):
    checked = subprocess.run(CHECK, env=GOOD | changed, cwd=ROOT, capture_output=True, text=True, check=False)

    assert re.findall(r"\((\w+\.\w\d+)\)", checked.stderr) == warnings
    assert (checked.returncode == 0) == (not warnings)
    assert checked.stderr.count("HINT: ") == len(warnings)
