from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_erasure")]

    operations = [
        migrations.RemoveConstraint(model_name="singleuselink", name="accounts_link_one_per_user_and_purpose"),
        migrations.AddIndex(
            model_name="singleuselink",
            index=models.Index(fields=["user", "purpose"], name="accounts_link_of_user"),
        ),
    ]
