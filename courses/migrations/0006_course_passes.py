"""Both passes are always there, on sale at their first prices; what staff have set stays."""

from typing import Any

from django.db import migrations

from learning247.kit.ids import new_id

# Access type -> title, calendar months, prices in minor units. GBP and EUR are the staff's to add.
PASSES = {
    "monthly": ("Monthly pass to every platform course", 1, {"NGN": 3_500_000, "USD": 4_200}),
    "yearly": ("Yearly pass to every platform course", 12, {"NGN": 28_000_000, "USD": 33_600}),
}


def put_on_sale(apps: Any, schema_editor: Any) -> None:
    course_pass, product, price = (
        apps.get_model(*name) for name in (("courses", "CoursePass"), ("payments", "Product"), ("payments", "Price"))
    )
    for access_type, (title, months, prices) in PASSES.items():
        if course_pass.objects.filter(access_type=access_type).exists():
            continue
        pass_id = new_id()
        sold = product.objects.create(
            kind="course_pass", item_id=pass_id, title=title, seller=None, active=True, term_months=months
        )
        price.objects.bulk_create(
            [price(product=sold, currency=currency, amount_minor=minor) for currency, minor in prices.items()]
        )
        course_pass.objects.create(id=pass_id, access_type=access_type, product=sold)


class Migration(migrations.Migration):
    dependencies = [("courses", "0005_enrollment_user"), ("payments", "0003_product_terms")]

    operations = [migrations.RunPython(put_on_sale, migrations.RunPython.noop)]
