from django.apps import AppConfig
from django.core.checks import Tags, register

from learning247.kit.deployment import deployment_check


class RecordsConfig(AppConfig):
    name = "learning247.records"
    label = "records"

    def ready(self) -> None:
        register(deployment_check, Tags.security, deploy=True)
        # The registry knows our models, which Django has loaded only by now.
        from learning247.records.models import MAIL_BODY, OutboundMail  # noqa: PLC0415
        from learning247.records.personal_data import register_tables  # noqa: PLC0415
        from learning247.records.proofs import every_event_is_accounted_for  # noqa: PLC0415
        from learning247.records.registry import register_check  # noqa: PLC0415
        from learning247.records.sealed_columns import SealedColumn, register_sealed_columns  # noqa: PLC0415

        register_check("I10", "every inbound event is done, due again or parked", every_event_is_accounted_for)
        register_tables()
        register_sealed_columns(SealedColumn(OutboundMail, "sealed_body", MAIL_BODY))
