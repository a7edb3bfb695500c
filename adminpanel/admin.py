"""What other apps bring into the console and nobody is to change by hand. This app is the last that is looked at."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from adminpanel.timetable import TimetablePage

# Who is linked to a Google account changes by signing in alone; the others are empty. When jobs run is in the code.
for model in (
    *(EmailAddress, SocialAccount, SocialApp, SocialToken),
    *(ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule),
):
    admin.site.unregister(model)
admin.site.register(PeriodicTask, TimetablePage)
