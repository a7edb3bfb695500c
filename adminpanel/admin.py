"""What other apps bring into the console and nobody is to change by hand. This app is the last that is looked at."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

# Who is linked to a Google account changes by signing in alone; the others are empty.
for model in (EmailAddress, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)
