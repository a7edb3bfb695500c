from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class AdminpanelConfig(AppConfig):
    name = "adminpanel"

    def ready(self) -> None:
        # The models are loaded only by now.
        from adminpanel.roles import roles_seed  # noqa: PLC0415

        # After Django's own receiver, which makes the permissions: that was connected by an app above this one.
        post_migrate.connect(roles_seed, dispatch_uid="adminpanel.roles_seed")


class StaffConsoleConfig(AdminConfig):
    """Django's admin, as our staff see it."""

    default_site = "adminpanel.console.StaffConsole"
