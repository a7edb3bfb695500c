"""Products that last for a term, and passes as a kind."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_late_payments_and_two_entries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="term_months",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Calendar months that one purchase lasts. None: for good.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="kind",
            field=models.CharField(
                choices=[
                    ("course", "Course"),
                    ("course_pass", "Course pass"),
                    ("video", "Video"),
                    ("live_class", "Live class"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="payments_entitlement_ends_after_its_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("term_months__gte", 1)), name="payments_product_term_is_some_time"
            ),
        ),
    ]
