"""Shapes of banks and of accounts that money goes to."""

from rest_framework import serializers

from learning247.kit.api.fields import CurrencyField, LineField
from learning247.kit.api.queries import FilterQuery
from wallets.enums import PayoutMethod
from wallets.models import PayoutAccount
from wallets.models.payout_accounts import LONGEST_NAME, LONGEST_NUMBER
from wallets.payouts import method_for
from wallets.selectors import currencies_of


class BankQuery(FilterQuery):
    currency = CurrencyField(default="NGN")


class BankSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    currency = CurrencyField()


class BanksSerializer(serializers.Serializer):
    banks = BankSerializer(many=True)


class AccountNumberSerializer(serializers.Serializer):
    account_number = serializers.RegexField(
        rf"^[A-Za-z0-9]{{4,{LONGEST_NUMBER}}}\Z", help_text="Without spaces; an IBAN where there is one."
    )
    bank_code = serializers.RegexField(r"^[A-Za-z0-9-]{1,20}\Z", help_text="Of GET /api/wallet/banks.")
    currency = CurrencyField(default="NGN")


class BankAccountRequestSerializer(AccountNumberSerializer):
    """What a gateway pays to needs `bank_code`; what finance pays to, `bank_name` and `account_name`."""

    bank_code = serializers.RegexField(
        r"^[A-Za-z0-9-]{1,20}\Z",
        required=False,
        help_text="Of GET /api/wallet/banks; the SWIFT code, if known, where that lists none.",
    )
    bank_name = LineField(max_length=LONGEST_NAME, required=False, help_text="Where GET /api/wallet/banks lists none.")
    account_name = LineField(max_length=LONGEST_NAME, required=False, help_text="Likewise: whose account it is.")

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        by_hand = method_for(attrs["currency"]) == PayoutMethod.BANK
        needed = ("bank_name", "account_name") if by_hand else ("bank_code",)
        missing = {name: ["This field is required."] for name in needed if not attrs.get(name)}
        if missing:
            raise serializers.ValidationError(missing, code="required")
        return attrs


class ResolvedAccountSerializer(serializers.Serializer):
    account_name = serializers.CharField(help_text="As the bank itself calls it.")
    account_number = serializers.CharField(help_text="Masked.")
    bank_code = serializers.CharField()
    bank_name = serializers.CharField()
    currency = CurrencyField()


class BankAccountSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    method = serializers.ChoiceField(choices=PayoutMethod.choices)
    currencies = serializers.SerializerMethodField(help_text="In which money may go there.")
    bank_code = serializers.CharField()
    bank_name = serializers.CharField()
    account_name = serializers.CharField(help_text="As the bank itself calls it, where it can be asked.")
    account_number = serializers.CharField(source="masked_number", help_text="Masked.")
    ready = serializers.SerializerMethodField(help_text="Whether money may go there now.")
    not_ready_reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_currencies(self, account: PayoutAccount) -> list[str]:
        return currencies_of(account)

    def get_ready(self, account: PayoutAccount) -> bool:
        return account.ready_at is not None


class StripeAccountRequestSerializer(serializers.Serializer):
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="ISO 3166-1 alpha-2: where you are paid. Yours, where it is left out."
    )


class OnboardingSerializer(serializers.Serializer):
    url = serializers.URLField(help_text="A page of Stripe's; good once, for some minutes. Ask again for another.")
    expires_at = serializers.DateTimeField()


class StripeAccountSerializer(serializers.Serializer):
    bank_account = BankAccountSerializer()
    onboarding = OnboardingSerializer()
