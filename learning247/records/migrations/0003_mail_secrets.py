"""Links in mails are sealed until they are sent and gone afterwards; so are those of mails that are there already."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models import F
from django.utils import timezone

from learning247.records.models import MailBody

# Keys of the mails that carried a link so far, and how long it was good.
SECRET = {"verify-email:": timedelta(days=3), "reset-password:": timedelta(minutes=15)}


def seal(apps, schema_editor):
    mails = apps.get_model("records", "OutboundMail").objects.using(schema_editor.connection.alias)
    for prefix, lifetime in SECRET.items():
        secret = mails.filter(key__startswith=prefix, secret_until=None)
        over = secret.filter(status="sent") | secret.filter(created_at__lte=timezone.now() - lifetime)
        over.update(text="", html="", secret_until=F("created_at") + lifetime)
        for mail in secret.iterator():
            mail.sealed_body = MailBody(mail.text, mail.html).sealed()
            mail.text, mail.html, mail.secret_until = "", "", mail.created_at + lifetime
            mail.save(update_fields=["sealed_body", "text", "html", "secret_until"])


class Migration(migrations.Migration):
    dependencies = [("records", "0002_audit_append_only")]

    operations = [
        migrations.AddField(
            model_name="outboundmail",
            name="sealed_body",
            field=models.TextField(blank=True, help_text="Text and HTML of a mail with a secret, encrypted."),
        ),
        migrations.AddField(
            model_name="outboundmail",
            name="secret_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Until when a link or a code in it lets somebody in. Empty: it has none.",
                null=True,
            ),
        ),
        migrations.AlterField(model_name="outboundmail", name="text", field=models.TextField(blank=True)),
        migrations.RunPython(seal, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="outboundmail",
            index=models.Index(
                condition=models.Q(("sealed_body", ""), _negated=True),
                fields=["secret_until"],
                name="records_mail_sealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboundmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("secret_until__isnull", True), models.Q(("html", ""), ("text", "")), _connector="OR"
                ),
                name="records_mail_secret_is_sealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="outboundmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sealed_body", ""),
                    models.Q(("secret_until__isnull", False), models.Q(("status", "sent"), _negated=True)),
                    _connector="OR",
                ),
                name="records_mail_sealed_until_sent",
            ),
        ),
    ]
