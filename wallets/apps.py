from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"

    def ready(self) -> None:
        from learning247.outbound_webhooks.event_types import register_event_types  # noqa: PLC0415
        from learning247.records.sealed_columns import SealedColumn, register_sealed_columns  # noqa: PLC0415
        from wallets import deployment  # noqa: F401, PLC0415 - registers its check
        from wallets.models import PayoutAccount  # noqa: PLC0415
        from wallets.personal_data import register_tables  # noqa: PLC0415 - models exist only now
        from wallets.proofs import register_checks  # noqa: PLC0415
        from wallets.services.payout_accounts import NUMBER_PURPOSE  # noqa: PLC0415
        from wallets.services.published import EVENT_TYPES  # noqa: PLC0415
        from wallets.webhooks import register_handlers  # noqa: PLC0415

        register_event_types(EVENT_TYPES)
        register_checks()
        register_handlers()
        register_tables()
        register_sealed_columns(SealedColumn(PayoutAccount, "sealed_number", NUMBER_PURPOSE))
