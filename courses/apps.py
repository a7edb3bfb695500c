from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"

    def ready(self) -> None:
        # The models are loaded only by now.
        from courses.personal_data import register_tables  # noqa: PLC0415
        from courses.proofs import every_enrollment_has_its_entitlement, every_mark_is_on_record  # noqa: PLC0415
        from courses.services.enrollments import enrollment_create, enrollment_end, enrollment_restore  # noqa: PLC0415
        from courses.usage import enrollment_usage  # noqa: PLC0415
        from learning247.records.registry import register_check  # noqa: PLC0415
        from payments.enums import ProductKind  # noqa: PLC0415
        from payments.kinds import register_product_kind  # noqa: PLC0415
        from payments.usage import register_usage  # noqa: PLC0415

        register_product_kind(
            ProductKind.COURSE,
            on_granted=enrollment_create,
            on_revoked=enrollment_end,
            on_restored=enrollment_restore,
            opened_by=(ProductKind.COURSE_PASS,),
        )
        register_product_kind(
            ProductKind.COURSE_PASS,
            on_granted=enrollment_create,
            on_revoked=enrollment_end,
            on_restored=enrollment_restore,
        )
        for kind in (ProductKind.COURSE, ProductKind.COURSE_PASS):
            register_usage(kind, enrollment_usage)
        register_check(
            "I9", "course access is active exactly while an entitlement is", every_enrollment_has_its_entitlement
        )
        register_check("I15", "credentials are marked as sent by somebody on record", every_mark_is_on_record)
        register_tables()
