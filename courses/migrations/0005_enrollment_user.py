"""An enrollment's account is its `user`, as an entitlement's is; the student is who takes the course."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0004_enrollment_search")]

    operations = [
        migrations.RemoveIndex(model_name="enrollment", name="courses_enrollment_by_student"),
        migrations.RenameField(model_name="enrollment", old_name="student", new_name="user"),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["user", "-id"], name="courses_enrollment_by_user"),
        ),
    ]
