from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AdminpanelConfig(AppConfig):
    name = "adminpanel"


class StaffConsoleConfig(AdminConfig):
    """Django's admin, as our staff see it."""

    default_site = "adminpanel.console.StaffConsole"
