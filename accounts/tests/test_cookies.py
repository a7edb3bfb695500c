"""The refresh cookie's SameSite: what the settings say, when it is set and when it is cleared."""

import pytest
from rest_framework.response import Response

from accounts.cookies import refresh_cookie_clear, refresh_cookie_set


@pytest.mark.parametrize("same_site", ["None", "Lax"])
def test_the_cookie_carries_the_same_site_of_the_settings_and_is_cleared_with_it(settings, same_site):
    settings.REFRESH_COOKIE_SAMESITE, settings.REFRESH_COOKIE_SECURE = same_site, True
    response = Response()
    refresh_cookie_set(response, "token")
    cookie = response.cookies["refresh_token"]
    assert (cookie["samesite"], cookie["secure"]) == (same_site, True)
    refresh_cookie_clear(response)
    cleared = response.cookies["refresh_token"]
    assert (cleared["samesite"], cleared["max-age"]) == (same_site, 0)
    assert cleared["secure"] or same_site != "None", "browsers refuse SameSite=None without Secure"


def test_on_a_laptop_it_is_lax(settings):
    assert settings.REFRESH_COOKIE_SAMESITE == "Lax"
