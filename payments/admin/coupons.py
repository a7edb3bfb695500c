"""Coupons: made for the platform, paused, and how often they were used."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from learning247.kit.admin import FormPages, ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.errors import DomainError
from learning247.kit.money import BASIS_POINTS, CURRENCIES, InvalidAmount, Money
from learning247.records.audit_history import AuditHistory
from learning247.records.reason_forms import ReasonField, ReasonForm
from payments.coupon_codes import MOST_TYPED
from payments.enums import CouponBearer, CouponState
from payments.models import Coupon, CouponAmount, CouponRedemption, Product
from payments.selectors import coupon_state, with_uses
from payments.services.coupons import coupon_create_by_staff, coupon_switch


class CouponForm(forms.Form):
    """A coupon of the platform's."""

    code = forms.CharField(
        required=False, max_length=MOST_TYPED, help_text="Left empty: one is made that nobody guesses."
    )
    percent = forms.DecimalField(
        required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2, help_text="Such as 25 or 12.5."
    )
    amounts = forms.CharField(
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Instead of a percentage, by currency: NGN 5000.00, USD 5.00",
    )
    bearer = forms.ChoiceField(choices=CouponBearer.choices, initial=CouponBearer.PLATFORM)
    seller = forms.EmailField(
        required=False, help_text="For whatever this creator sells. Left empty, as the product: for everything."
    )
    product = forms.UUIDField(required=False, help_text="For this product alone: its id, from its page's address.")
    starts_at = forms.DateTimeField(required=False, help_text="UTC, such as 2026-12-01 00:00. Left empty: now.")
    ends_at = forms.DateTimeField(required=False, help_text="UTC. Left empty: until it is paused.")
    max_uses = forms.IntegerField(required=False, min_value=1, max_value=10**9, help_text="In all.")
    max_uses_per_user = forms.IntegerField(required=False, min_value=1, max_value=10**9, initial=1)
    reason = ReasonField()

    def clean_percent(self) -> int | None:
        """Basis points."""
        percent = self.cleaned_data["percent"]
        bps = None if percent is None else int(percent * BASIS_POINTS / 100)
        if bps == 0:
            raise ValidationError("Take more than zero off.")
        return bps

    def clean_amounts(self) -> list[Money]:
        amounts: dict[str, Money] = {}
        for part in filter(str.strip, self.cleaned_data["amounts"].split(",")):
            currency, _, amount = part.strip().partition(" ")
            if currency not in CURRENCIES or currency in amounts:
                raise ValidationError(f"Name each currency once, of {', '.join(CURRENCIES)}.")
            try:
                amounts[currency] = Money.from_decimal_string(amount.strip(), currency)
            except InvalidAmount as error:
                raise ValidationError(str(error)) from None
            if amounts[currency].minor == 0:
                raise ValidationError("Take more than zero off.")
        return list(amounts.values())

    def clean_seller(self) -> User | None:
        email = self.cleaned_data["seller"]
        if not email:
            return None
        seller = User.objects.filter(email__iexact=email, is_creator=True).first()
        if seller is None:
            raise ValidationError("No creator has this email.")
        return seller

    def clean_product(self) -> Product | None:
        product_id = self.cleaned_data["product"]
        product = Product.objects.filter(pk=product_id).first() if product_id else None
        if product_id and product is None:
            raise ValidationError("There is no such product.")
        return product

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        if (values["percent"] is None) == (not values["amounts"]):
            self.add_error("percent", "Give either a percentage or amounts.")
        if values["seller"] and values["product"]:
            self.add_error("product", "Choose a creator or a product, not both.")
        if values["bearer"] == CouponBearer.CREATOR and not (values["seller"] or values["product"]):
            self.add_error("bearer", "Name the creator or the product: nobody's price falls unnamed.")
        return values

    def create(self, staff: User) -> Coupon:
        """Raises what `coupon_create_by_staff` raises."""
        values = self.cleaned_data
        fields = {name: values[name] for name in ("starts_at", "ends_at", "max_uses", "max_uses_per_user")}
        if fields["starts_at"] is None:
            del fields["starts_at"]
        return coupon_create_by_staff(
            actor=staff,
            code=values["code"],
            bearer=CouponBearer(values["bearer"]),
            percent_bps=values["percent"],
            amounts=values["amounts"],
            product=values["product"],
            seller=values["seller"],
            fields=fields,  # type: ignore[arg-type]
            reason=values["reason"],
        )


class CouponAmountInline(ReadOnlyInline):
    model = CouponAmount
    fields = ("amount",)
    readonly_fields = fields

    @admin.display(description="Takes off")
    def amount(self, row: CouponAmount) -> str:
        return str(row.money)


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("platform", "The platform"), ("creators", "Creators")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        wanted = {"platform": True, "creators": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(owner__isnull=wanted)


@admin.register(Coupon)
class CouponAdmin(AuditHistory, FormPages, ReadOnlyAdmin):
    list_display = ("code", "owner", "takes_off", "bearer", "is_for", "state", "used", "reserved", "limit", "ends_at")
    list_filter = (OwnerFilter, "active", "bearer")
    search_fields = ("code", "owner__email", "product__title")
    actions = ("pause", "resume")
    inlines = (CouponAmountInline,)
    fieldsets = (
        (None, {"fields": ("code", "owner", "takes_off", "bearer", "is_for", "state")}),
        ("When", {"fields": ("active", "starts_at", "ends_at", "created_by", "created_at")}),
        ("How often", {"fields": ("used", "reserved", "max_uses", "max_uses_per_user")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        return with_uses(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "has_perm", lambda _: False)("payments.add_coupon"))

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """What pausing needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("payments.change_coupon"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A coupon of the platform's. Not the parent's page, which saves within a transaction of its own."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CouponForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                coupon = form.create(_staff(request))
            except DomainError as error:
                form.add_error(error.attr if error.attr in form.fields else None, error.detail)
            else:
                self.message_user(request, f"Coupon {coupon.code} was made.")
                return HttpResponseRedirect(reverse("admin:payments_coupon_change", args=[coupon.pk]))
        return self.form_page(
            request,
            form,
            title="Make a coupon of the platform's",
            button="Make it",
            intro="What it takes off, when and how often cannot be changed afterwards; it can be paused at any time.",
        )

    @admin.action(description="Pause: nobody begins to use them", permissions=["switch"])
    def pause(self, request: HttpRequest, coupons: QuerySet[Coupon]) -> HttpResponse | None:
        return self._switch(request, coupons, active=False, action="pause", button="Pause", done="Paused")

    @admin.action(description="Resume: they can be used again", permissions=["switch"])
    def resume(self, request: HttpRequest, coupons: QuerySet[Coupon]) -> HttpResponse | None:
        return self._switch(request, coupons, active=True, action="resume", button="Resume", done="Resumed")

    def _switch(
        self, request: HttpRequest, coupons: QuerySet[Coupon], *, active: bool, action: str, button: str, done: str
    ) -> HttpResponse | None:
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, coupons, form, action=action, title=button)
        ids: list[UUID] = list(coupons.values_list("pk", flat=True))
        for coupon_id in ids:
            try:
                coupon_switch(
                    coupon_id=coupon_id, actor=_staff(request), active=active, reason=form.cleaned_data["reason"]
                )
            except DomainError as refusal:
                self.message_user(request, refusal.detail, messages.ERROR)
        self.message_user(request, f"{done}: {len(ids)}.")
        return None

    @admin.display(description="Takes off")
    def takes_off(self, coupon: Coupon) -> str:
        if coupon.percent_bps is not None:
            return f"{coupon.percent_bps / 100:g} %"
        return ", ".join(str(amount) for amount in coupon.amounts.all())

    @admin.display(description="For")
    def is_for(self, coupon: Coupon) -> str:
        if coupon.product is not None:
            return coupon.product.title
        return f"all of {coupon.seller}" if coupon.seller else "everything"

    @admin.display(description="State")
    def state(self, coupon: Coupon) -> str:
        return str(CouponState(coupon_state(coupon)).label)

    @admin.display(description="Used")
    def used(self, coupon: Any) -> int:
        return int(coupon.uses)

    @admin.display(description="Reserved")
    def reserved(self, coupon: Any) -> int:
        return int(coupon.taken - coupon.uses)

    @admin.display(description="Of")
    def limit(self, coupon: Coupon) -> str:
        return str(coupon.max_uses or "any number")


@admin.register(CouponRedemption)
class CouponRedemptionAdmin(ReadOnlyAdmin):
    list_display = ("coupon", "payment", "discount", "user", "status", "created_at", "consumed_at", "released_at")
    list_filter = ("status",)
    search_fields = ("coupon__code", "payment__reference", "user__email")
    list_select_related = ("coupon", "payment", "user")
    date_hierarchy = "created_at"

    @admin.display(description="Discount")
    def discount(self, redemption: CouponRedemption) -> str:
        return str(redemption.payment.discount)


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the console lets nobody else in
    return request.user
