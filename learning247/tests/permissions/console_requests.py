"""How each page and action of the console is asked: the row that it is about, and a form that works."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.forms import BaseForm
from django.http import HttpResponse
from django_celery_beat.models import PeriodicTask

from accounts.models import User
from accounts.selectors import second_factor_active
from accounts.tests.builders import PASSWORD, build_totp
from learning247.kit.ids import new_id
from learning247.risk.models import RuleVersion
from learning247.tests.permissions.requests import NEW_PASSWORD
from learning247.tests.permissions.world import World, upload

Form = dict[str, Any]

# The row that a page is about, where the first of its table will not do.
ROWS: dict[str, Callable[[World], object]] = {
    "accounts/user": lambda world: world.owner.pk,
    "courses/course": lambda world: world.platform_course.pk,
    "courses/department": lambda world: world.empty_department.pk,
    "payments/payment": lambda world: world.captured.pk,
    "payments/coupon": lambda world: world.coupon.pk,
    "payments/paymentreview": lambda world: world.review.pk,
    "wallets/withdrawalreview": lambda world: world.withdrawal_review.pk,
    "wallets/payoutprofile": lambda world: world.owner.pk,
    "courses/enrollment": lambda world: world.enrollment.pk,
    "django_celery_beat/periodictask": lambda world: PeriodicTask.objects.get(name="test").pk,
}
ACTION_ROWS: dict[str, Callable[[World], object]] = {
    "/admin/accounts/user/ erase": lambda world: world.people["user"].pk,
    "/admin/accounts/user/ reset_second_factor": lambda world: _with_totp(world.owner).pk,
    "/admin/risk/ruleversion/ promote": lambda world: RuleVersion.objects.filter(status="shadow").earliest("pk").pk,
    "/admin/risk/ruleversion/ retire": lambda world: RuleVersion.objects.filter(status="live").earliest("pk").pk,
    "/admin/courses/course/ publish": lambda world: world.withdrawn.pk,
    "/admin/payments/coupon/ resume": lambda world: world.paused_coupon.pk,
    "/admin/django_celery_beat/periodictask/ resume": lambda world: world.paused.pk,
    "/admin/wallets/withdrawal/ transferred": lambda world: world.by_hand.pk,
    "/admin/wallets/withdrawal/ not_transferable": lambda world: world.by_hand.pk,
    "/admin/wallets/withdrawal/ sent_back": lambda world: world.transferred.pk,
}
# What is changed in the form that a change page shows.
CHANGES: dict[str, Form] = {
    "accounts/user": {"first_name": "Renamed", "reason": "A typo"},
    "auth/group": {"name": "renamed", "reason": "A typo"},
    "courses/course": {"duration": "3 weeks", "reason": "It got longer"},
    "courses/coursepass": {"NGN": "36000", "reason": "A new year"},
    "courses/department": {"description": "Changed", "reason": "A typo"},
}
FORMS: dict[str, Callable[[World], Form]] = {
    "/admin/login/": lambda world: {"username": world.people["admin"].email, "password": PASSWORD},
    "/admin/password_change/": lambda world: {
        "old_password": PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    },
    "/admin/accounts/user/add/": lambda world: {
        "email": "new@example.com",
        "first_name": "New",
        "last_name": "Person",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
        "reason": "New in support",
    },
    "/admin/accounts/user/{id}/password/": lambda world: {
        "reason": "Asked for by phone",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    },
    "/admin/second-factor/": lambda world: {"password": PASSWORD},
    "/admin/auth/group/add/": lambda world: {"name": "new", "reason": "A new team"},
    "/admin/courses/course/import/": lambda world: {
        "file": upload("Law.csv", b"Course Name,Course Link\nContracts,https://x.example/c\n", "text/csv"),
        "reason": "This year's",
    },
    "/admin/courses/course/{course_id}/prices/": lambda world: {"NGN": "26000", "reason": "A new year"},
    "/admin/courses/department/add/": lambda world: {
        "name": "New",
        "slug": "new",
        "description": "",
        "reason": "A new shelf",
    },
    "/admin/risk/ruleversion/add/": lambda world: {
        "rule": "amount",
        "purpose": "checkout",
        "kind": "amount",
        "parameters": '{"at_least": {"NGN": 10000}}',
        "outcome": "review",
        "reason": "Stolen cards buy little",
    },
    "/admin/outbound_webhooks/webhookendpoint/add/": lambda world: {
        "url": "https://hooks.example.com/",
        "reason": "For the accounts",
    },
    "/admin/payments/coupon/add/": lambda world: {
        "percent": "25",
        "bearer": "platform",
        "amounts": "",
        "reason": "A campaign",
    },
    "/admin/payments/payment/{payment_id}/refund/": lambda world: {"reason": "Cancelled", "key": str(new_id())},
    "/admin/wallets/adjustmentproposal/propose/": lambda world: {
        "currency": "USD",
        "lines": "losses -1.00\ngateway_costs 1.00",
        "reason": "A fee that was named late",
    },
    "/admin/payments/dispute/{dispute_id}/send-evidence/": lambda world: {"reason": "Answered"},
    "/admin/courses/enrollment/add/": lambda world: {
        "email": world.people["user"].email,
        "access_type": "individual",
        "course": str(world.platform_course.pk),
        "reason": "A prize",
    },
    "/admin/courses/enrollment/{enrollment_id}/mark-sent/": lambda world: {"apply": "yes"},
    "/admin/courses/enrollment/{enrollment_id}/revoke/": lambda world: {"apply": "yes", "reason": "Left"},
}
ACTION_FIELDS: dict[str, Form] = {
    "/admin/wallets/payoutprofile/ set_tier": {"tier": "vip"},
    "/admin/wallets/withdrawal/ transferred": {"bank_reference": "1"},
}
QUERIES = {"/admin/autocomplete/": "?app_label=courses&model_name=enrollment&field_name=course"}


def prepare_page(world: World, person: str, path: str, method: str, **options: Any) -> Callable[[], HttpResponse]:
    """What `person` sends to a page of the console; with a form that works when it is a POST."""
    address = f"{_address(world, path)}{QUERIES.get(path, '')}"
    send = getattr(world.console(person, **options), method.lower())
    return partial(send, address, _form(world, path)) if method == "POST" else partial(send, address)


def prepare_action(world: World, person: str, row: str) -> Callable[[], HttpResponse]:
    """What `person` sends for `/admin/app/model/ action`, confirmed."""
    path, _, action = row.partition(" ")
    chosen = ACTION_ROWS[row](world) if row in ACTION_ROWS else _row(world, path)
    form = {"action": action, ACTION_CHECKBOX_NAME: [str(chosen)], "post": "yes", "apply": "yes", "reason": "Left"}
    form |= ACTION_FIELDS.get(row, {})
    send: Any = world.console(person).post
    return partial(send, path, form)


def _with_totp(user: User) -> User:
    if second_factor_active(user) is None:
        build_totp(user)
    return user


def _model(path: str) -> str:
    return "/".join(path.split("/")[2:4])


def _row(world: World, path: str) -> object:
    label = _model(path)
    if label in ROWS:
        return ROWS[label](world)
    found = [model for model in admin.site._registry if model._meta.label_lower == label.replace("/", ".")]
    first = found[0]._default_manager.order_by("pk").first() if found else None
    return first.pk if first is not None else 0


def _address(world: World, path: str) -> str:
    if "{" not in path:
        return path
    row = _row(world, path)
    names = ("object_id", "id", "course_id", "enrollment_id", "payment_id", "dispute_id", "content_type_id", "url")
    return path.format_map(dict.fromkeys(names, row))


def _form(world: World, path: str) -> Form:
    own = FORMS[path](world) if path in FORMS else {}
    if path.endswith("/delete/"):
        return {"post": "yes", "reason": "Never used"}
    if path.endswith("/change/"):
        return _as_shown(world, path) | CHANGES.get(_model(path), {})
    return own


def _as_shown(world: World, path: str) -> Form:
    """What a browser of the admin's would send back of a page, without the empty rows that it offers."""
    if path in world.forms:
        return world.forms[path]
    answer: Any = world.console("admin").get(_address(world, path))
    shown = answer.context
    forms: list[BaseForm] = [shown["adminform"].form] if "adminform" in shown else [shown["form"]]
    sent: Form = {}
    for inline in shown.get("inline_admin_formsets", ()):
        forms += inline.formset.initial_forms
        rows = len(inline.formset.initial_forms)
        sent |= {f"{inline.formset.prefix}-{name}_FORMS": rows for name in ("TOTAL", "INITIAL")}
    for form in forms:
        for field in form:
            value = field.value()
            if value not in (None, False):
                sent[field.html_name] = value
    world.forms[path] = sent
    return sent
