"""What staff do with an enrollment, and passes to every platform course."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import learning247.kit.clock
import learning247.kit.ids


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0001_initial"),
        ("payments", "0003_product_terms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CoursePass",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=learning247.kit.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "access_type",
                    models.CharField(
                        choices=[("individual", "Individual"), ("monthly", "Monthly pass"), ("yearly", "Yearly pass")],
                        max_length=10,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(default=learning247.kit.clock.now, editable=False)),
            ],
            options={
                "verbose_name_plural": "course passes",
                "ordering": ("access_type",),
            },
        ),
        migrations.AddField(
            model_name="enrollment",
            name="credentials_mailed_at",
            field=models.DateTimeField(
                blank=True, help_text="When the student was told by mail: once, also when marked again.", null=True
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="credentials_sent_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="credentials_sent_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="notes",
            field=models.TextField(blank=True, help_text="Staff's own; students do not see them.", max_length=2000),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="updated_at",
            field=models.DateTimeField(default=learning247.kit.clock.now, editable=False),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["status", "-id"], name="courses_enrollment_by_status"),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["expires_at"],
                name="courses_enrollment_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("access_type", "individual"), ("expires_at__isnull", False), _connector="OR"),
                name="courses_enrollment_by_a_pass_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credentials_sent_at__isnull", True), ("credentials_sent_by__isnull", True)),
                    models.Q(("credentials_sent_at__isnull", False), ("credentials_sent_by__isnull", False)),
                    _connector="OR",
                ),
                name="courses_enrollment_sent_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "revoked"),
                    models.Q(("credentials_sent_at__isnull", True), ("status", "pending")),
                    models.Q(
                        ("credentials_mailed_at__isnull", False),
                        ("credentials_sent_at__isnull", False),
                        ("status", "credentials_sent"),
                    ),
                    _connector="OR",
                ),
                name="courses_enrollment_status_says_what_was_sent",
            ),
        ),
        migrations.AddField(
            model_name="coursepass",
            name="product",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="course_pass", to="payments.product"
            ),
        ),
        migrations.AddConstraint(
            model_name="coursepass",
            constraint=models.CheckConstraint(
                condition=models.Q(("access_type__in", ("monthly", "yearly"))),
                name="courses_pass_for_a_month_or_a_year",
            ),
        ),
    ]
