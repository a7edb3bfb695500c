"""What other apps call: becoming a creator, registering inside their own transaction."""

import pytest
from django.db import transaction

from accounts.errors import EmailNotVerified, EmailTaken
from accounts.models import User
from accounts.services.creators import creator_ensure
from accounts.services.users import user_register, user_update_profile
from accounts.tests.builders import PASSWORD, build_user

pytestmark = pytest.mark.django_db


def test_a_verified_person_becomes_a_creator_once():
    user = build_user(verified=True)

    creator_ensure(user)

    assert User.objects.get().is_creator
    assert creator_ensure(User.objects.get()).is_creator


def test_without_a_verified_email_nobody_becomes_a_creator():
    user = build_user()

    with pytest.raises(EmailNotVerified) as refused:
        creator_ensure(user)

    assert (refused.value.status, refused.value.code) == (403, "email_not_verified")
    assert not User.objects.get().is_creator


def test_a_taken_email_leaves_the_callers_transaction_usable():
    build_user(email="ada@example.com")

    with transaction.atomic():
        with pytest.raises(EmailTaken):
            user_register(email="ADA@example.com", password=PASSWORD, first_name="Ada", last_name="Obi")
        assert User.objects.count() == 1


def test_a_profile_update_takes_no_other_field():
    user = build_user()

    with pytest.raises(ValueError, match="Not a profile field: role"):
        user_update_profile(user=user, changes={"role": "admin"})

    assert User.objects.get().role == "user"
