"""The rules that a new database begins with, and the state of the counters: stale until they are filled."""

from django.db import migrations

from learning247.risk.defaults import DEFAULTS


def make(apps, schema_editor):
    using = schema_editor.connection.alias
    version_model = apps.get_model("risk", "RuleVersion")
    version_model.objects.using(using).bulk_create(
        version_model(
            rule=rule, number=1, purpose=purpose, kind=kind, outcome=outcome, parameters=parameters, status=status
        )
        for rule, purpose, kind, outcome, parameters, status in DEFAULTS
    )
    apps.get_model("risk", "CounterState").objects.using(using).create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("risk", "0002_guards")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
