"""Staff find students by a part of the name or the email."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0003_catalogue_search"),
        ("payments", "0003_product_terms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="enrollment",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("student_name"), name="gin_trgm_ops"
                ),
                name="courses_enrollment_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("student_email"), name="gin_trgm_ops"
                ),
                name="courses_enrollment_by_email",
            ),
        ),
    ]
