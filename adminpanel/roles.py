"""The staff's groups: what each may see and do, in Django's permissions, for which the console and /api/admin ask."""

from typing import Any, Final

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db import router

# Group -> app -> codenames. A superuser needs none of them.
ROLES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "support": {
        "accounts": ("view_user",),
        "courses": ("view_department", "view_course", "view_enrollment", "change_enrollment"),
        "payments": (
            "view_product",
            "view_coupon",
            "view_couponamount",
            "view_couponredemption",
            "view_payment",
            "view_refund",
            "view_dispute",
            "view_entitlement",
        ),
        "wallets": ("view_payoutaccount", "view_withdrawal"),
        "records": ("view_outboundmail", "change_outboundmail"),
    },
    "reviewer": {
        "accounts": ("view_user",),
        "courses": ("view_department", "view_course", "change_course"),
        "payments": (
            "view_product",
            "view_price",
            "view_payment",
            "view_paymentreview",
            "change_paymentreview",
            "view_refund",
            "view_dispute",
            "view_entitlement",
        ),
        "wallets": (
            "view_payoutaccount",
            "view_payoutprofile",
            "change_payoutprofile",
            "view_payoutlimit",
            "view_withdrawal",
            "view_withdrawalreview",
            "change_withdrawalreview",
        ),
        "risk": ("view_decision", "view_ruleversion"),
    },
    "finance": {
        "accounts": ("view_user",),
        "payments": (
            "view_product",
            "view_price",
            "view_coupon",
            "view_couponamount",
            "add_coupon",
            "change_coupon",
            "view_couponredemption",
            "view_payment",
            "view_refund",
            "add_refund",
            "view_dispute",
            "change_dispute",
            "view_entitlement",
            "view_payout",
        ),
        "risk": ("view_decision", "view_ruleversion", "add_ruleversion", "change_ruleversion"),
        "wallets": (
            "view_ledgeraccount",
            "view_journalentry",
            "view_journalline",
            "view_seal",
            "view_accountcheckpoint",
            "view_payoutaccount",
            "view_payoutlimit",
            "view_payoutprofile",
            "view_withdrawal",
            "view_adjustmentproposal",
            "change_adjustmentproposal",
            "view_payoutfreeze",
            "change_payoutfreeze",
            "change_withdrawal",
        ),
    },
}


def roles_seed(*, app_config: AppConfig, using: str, apps: Apps, **_: Any) -> None:
    """Make the groups and give them the permissions of the app that was just migrated.

    A receiver of `post_migrate` and not a migration, because that is when Django makes an app's permissions: in a
    migration they do not exist yet. It adds what is missing and takes nothing away: what staff give a group stays.
    """
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return  # a migration of something else, before or after there were groups
    if not router.allow_migrate_model(using, group_model):
        return
    for name, rights in ROLES.items():
        group, _created = group_model.objects.using(using).get_or_create(name=name)
        wanted = permission_model.objects.using(using).filter(
            content_type__app_label=app_config.label, codename__in=rights.get(app_config.label, ())
        )
        group.permissions.add(*wanted)
