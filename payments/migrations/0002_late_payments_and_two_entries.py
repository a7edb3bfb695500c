"""Failed and expired payments are asked about too, and a capture in review has an entry of its own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("wallets", "0002_ledger_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="payment",
            name="payments_payment_paid_has_an_entry",
        ),
        migrations.RemoveIndex(
            model_name="payment",
            name="payments_payment_pending",
        ),
        # The entry of a payment in review is no sale: it moves to a column of its own.
        migrations.RenameField(model_name="payment", old_name="settlement_entry", new_name="sale_entry"),
        migrations.AddField(
            model_name="payment",
            name="unsettled_entry",
            field=models.OneToOneField(
                blank=True,
                help_text="Of one in review.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallets.journalentry",
            ),
        ),
        migrations.RunSQL(
            "UPDATE payments_payment SET unsettled_entry_id = sale_entry_id, sale_entry_id = NULL"
            " WHERE status = 'in_review'; SET CONSTRAINTS ALL IMMEDIATE;",
            "UPDATE payments_payment SET sale_entry_id = unsettled_entry_id WHERE status = 'in_review';"
            " SET CONSTRAINTS ALL IMMEDIATE;",
        ),
        migrations.AlterField(
            model_name="payment",
            name="sale_entry",
            field=models.OneToOneField(
                blank=True,
                help_text="Of a paid payment.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallets.journalentry",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="review_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("amount_mismatch", "The gateway captured another amount"),
                    ("currency_mismatch", "The gateway captured another currency"),
                    ("reference_mismatch", "The gateway answered for another payment"),
                    ("already_owned", "The buyer owns this already"),
                ],
                max_length=30,
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("status__in", ("pending", "failed", "expired"))),
                fields=["checked_at"],
                name="payments_payment_unsettled",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "paid"), _negated=True),
                    ("amount_minor", 0),
                    ("sale_entry__isnull", False),
                    _connector="OR",
                ),
                name="payments_payment_paid_has_an_entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", "staff"), ("payment__isnull", False), _connector="OR"),
                name="payments_entitlement_bought_with_a_payment",
            ),
        ),
    ]
