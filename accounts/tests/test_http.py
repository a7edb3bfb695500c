"""The accounts API over a real socket, with a client that keeps cookies as browsers do, and its jobs."""

from datetime import timedelta

import requests
from rest_framework.test import APIClient

from accounts.models import RecoveryRequest, Session
from accounts.services.recovery import recovery_sweep
from accounts.tests.builders import PASSWORD, build_user
from learning247.kit.clock import now
from learning247.records.models import OutboundMail


def test_sign_up_verify_stay_signed_in_by_the_cookie_and_sign_out(api_server):
    browser = requests.Session()
    ada = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}

    registered = browser.post(f"{api_server}/auth/register", json=ada, timeout=10)
    assert registered.status_code == 201
    first = registered.json()

    token = OutboundMail.objects.get().body().text.partition("#token=")[2].split()[0]
    assert browser.post(f"{api_server}/auth/verify-email", json={"token": token}, timeout=10).status_code == 200

    renewed = browser.post(f"{api_server}/auth/refresh", json={}, timeout=10)
    assert renewed.status_code == 200
    bearer = {"Authorization": f"Bearer {renewed.json()['access']}"}
    me = browser.get(f"{api_server}/auth/me", headers=bearer, timeout=10)
    assert (me.status_code, me.json()["email_verified"]) == (200, True)

    elsewhere = browser.get(f"{api_server}/health/live", timeout=10)
    assert "refresh_token" not in (elsewhere.request.headers.get("Cookie") or "")

    signed_out = browser.post(f"{api_server}/auth/logout", json={}, timeout=10)
    assert (signed_out.status_code, signed_out.content) == (204, b"")
    assert "refresh_token" not in browser.cookies
    assert browser.get(f"{api_server}/auth/me", headers=bearer, timeout=10).status_code == 401
    again = browser.post(f"{api_server}/auth/refresh", json={"refresh": first["refresh"]}, timeout=10)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (401, "token_reused")
    assert Session.objects.get().end_reason == "signed_out"


def test_a_job_answers_it_and_the_sweep_finds_one_that_never_was_enqueued(committed_db, run_jobs):
    build_user(email="ada@example.com")
    APIClient().post("/auth/forgot-password", {"email": "ada@example.com"}, format="json")
    assert "accounts.answer_recovery" in run_jobs()
    assert OutboundMail.objects.count() == 1

    lost = RecoveryRequest.objects.create(email="nobody@example.com")
    assert recovery_sweep() == 0
    RecoveryRequest.objects.filter(id=lost.id).update(created_at=now() - timedelta(seconds=16))
    assert recovery_sweep() == 1
    run_jobs()
    assert not RecoveryRequest.objects.exists()
