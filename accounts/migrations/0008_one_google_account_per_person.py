from django.db import migrations


class Migration(migrations.Migration):
    """allauth's own constraint gives a Google account one person; this gives a person one account of each provider."""

    dependencies = [
        ("accounts", "0007_google_code"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE UNIQUE INDEX accounts_one_google_account_per_person"
            " ON socialaccount_socialaccount (user_id, provider)",
            reverse_sql="DROP INDEX accounts_one_google_account_per_person",
        ),
    ]
