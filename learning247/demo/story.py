"""The story: two courses are sold through two gateways, whatever the gateways' messages do on their way; and what comes
after sales: money that goes back, a bank that asks for it, a payment over which a person decides.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from learning247.demo.browser import press
from learning247.demo.console import Console
from learning247.demo.http import Api, NotAsExpected
from learning247.demo.telling import Teller, shown
from learning247.sandbox.control import ControlClient, ControlError

PATIENCE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
LINK: Final = "https://classroom.example.com/soap-making-at-home"
PRICES: Final = {"USD": "30.00", "GBP": "24.00", "NGN": "45000.00"}
PLATFORM_PRICE: Final = ("NGN", "25000.00")
VERIFICATION_TOKEN: Final = re.compile(r"#token=(\S+)")
WITHDRAWALS: Final = "/api/wallet/withdrawals"
MAILED_CODE: Final = re.compile(r"^(\d{6})\r?$", re.MULTILINE)
DISPUTE_PAGE: Final = re.compile(r"/payments/dispute/([0-9a-f-]{36})/change/")


@dataclass(slots=True)
class Person:
    """Somebody with a name, a mailbox and a session."""

    name: str
    email: str
    api: Api


@dataclass(slots=True)
class Staff(Person):
    """Somebody of the platform, who has the console too."""

    console: Console


@dataclass(slots=True)
class Story:
    """One telling. `mailbox(address)` is the text of the latest mail to somebody, `seed_staff(email, password)` makes
    an administrator, `prove()` says whether all holds.
    """

    api_url: str
    control: ControlClient
    teller: Teller
    mailbox: Callable[[str], str]
    seed_staff: Callable[[str, str], None]
    prove: Callable[[], bool]
    run: str = field(default_factory=lambda: secrets.token_hex(3))

    def tell(self) -> None:
        """Raises NotAsExpected as soon as anything is not as it should be."""
        creator, learner, passer_by = self.people_sign_up()
        self.creator_verifies_email(creator)
        course = self.creator_publishes_course(creator)
        self.learner_buys_from_the_platform(learner)
        disputed = self.learner_buys_from_the_creator(learner, creator, course)
        self.keys_are_kept(learner, course)
        self.card_is_declined(passer_by, creator, course)
        self.checkout_is_abandoned(passer_by)
        self.only_buyers_see_the_link(learner, passer_by, course)
        self.wallet_is_explained(creator)
        self.buyer_takes_her_money_back(passer_by, creator, course)
        staff = self.staff_come_in()
        self.bank_asks_a_sale_back(learner, creator, course, disputed, staff)
        self.person_decides_over_a_payment(passer_by, creator, course, staff)
        self.coupon_is_used(creator, course)
        self.creator_withdraws(creator)
        self.withdrawal_fails_and_comes_back(creator)
        self.person_decides_over_a_withdrawal(creator, staff)
        self.books_are_proven()

    # -- people and a course -------------------------------------------------------------------------------

    def people_sign_up(self) -> tuple[Person, Person, Person]:
        self.teller.step("A creator, a learner and a passer-by sign up")
        return self._sign_up("Ngozi Adeyemi"), self._sign_up("Kofi Mensah"), self._sign_up("Lena Park")

    def _sign_up(self, name: str) -> Person:
        first, last = name.split()
        person = Person(name, f"{first.lower()}.{self.run}@example.com", Api(self.api_url))
        password = secrets.token_urlsafe(12)
        answer = person.api.post(
            "/auth/register",
            {"email": person.email, "password": password, "first_name": first, "last_name": last},
            status=201,
        )
        person.api.sign_in(answer["access"])
        me = person.api.get("/auth/me")
        self.teller.same(f"The email of {name}", me["email"], person.email)
        self.teller.fact(name, person.email)
        return person

    def creator_verifies_email(self, creator: Person) -> None:
        self.teller.step(f"{creator.name} verifies her email: only then may she sell")
        refused = creator.api.send("POST", "/api/courses", body=self._course_fields(creator))
        self.teller.same(
            "The answer to an unverified seller", (refused.status, refused.code), (403, "email_not_verified")
        )
        self.teller.fact("before: creates a course", f"{refused.status} {refused.code}")
        self._wait(f"A mail to {creator.email}", lambda: bool(self.mailbox(creator.email)))
        token = VERIFICATION_TOKEN.search(self.mailbox(creator.email))
        if token is None:
            raise NotAsExpected(f"The mail to {creator.email} has no verification link.")
        creator.api.post("/auth/verify-email", {"token": token[1]})
        self.teller.same("email_verified", creator.api.get("/auth/me")["email_verified"], True)
        self.teller.fact("opens the link in her mail", "email verified")

    def creator_publishes_course(self, creator: Person) -> dict[str, Any]:
        self.teller.step("She writes a course, names her prices, and puts it on sale")
        course = creator.api.post("/api/courses", self._course_fields(creator), status=201)
        hidden = Api(self.api_url).send("GET", f"/api/courses/{course['id']}")
        self.teller.same("A draft, asked for by a stranger,", hidden.status, 404)
        self.teller.fact(f"“{course['title']}”", "a draft; a stranger gets 404")
        course = creator.api.post(f"/api/courses/{course['id']}/publish")
        self.teller.same("The course", course["status"], "published")
        self.teller.same("is_creator", creator.api.get("/auth/me")["is_creator"], True)
        found = {price["currency"]: price["amount"] for price in course["prices"]}
        self.teller.same("The prices", sorted(found.items()), sorted(PRICES.items()))
        for currency, amount in PRICES.items():
            self.teller.amount("price", currency, amount)
        return course

    def _course_fields(self, creator: Person) -> dict[str, Any]:
        departments = creator.api.get("/api/courses/departments")["results"]
        if not departments:
            raise NotAsExpected("The catalogue is empty: load it with `manage.py load_demo`.")
        return {
            "title": "Soap Making at Home",
            "department": departments[0]["slug"],
            "description": "Cold-process soap from what the market sells, safely, in a kitchen.",
            "link": LINK,
            "prices": [{"currency": currency, "amount": amount} for currency, amount in PRICES.items()],
        }

    # -- sales ---------------------------------------------------------------------------------------------

    def learner_buys_from_the_platform(self, learner: Person) -> None:
        currency, amount = PLATFORM_PRICE
        course = self._platform_course(learner)
        self.teller.step(f"{learner.name} buys the platform's own course in {currency} through Paystack")
        self.teller.fact(f"“{course['title']}”", "sold by the platform itself")
        self._show_access("access before", learner, course, (False, "purchase_required"))
        payment = self._purchase(learner, course, currency, amount, "paystack")
        with self._every_event_three_times("paystack", "charge.success"):
            self._pay(payment)
            self.teller.note("Paystack announces it three times at once …")
            self._wait("Paystack's three deliveries", lambda: self._attempts(payment["reference"]) >= 3)
        self._wait_until_paid(learner, payment)
        self._show_verified(learner, payment, "paid")
        self._show_access("access after", learner, course, (True, "entitled"))
        self._show_enrollments(learner, 1, payment)

    def learner_buys_from_the_creator(self, learner: Person, creator: Person, course: dict[str, Any]) -> dict[str, Any]:
        self.teller.step(f"{learner.name} buys {creator.name}'s course in USD through Stripe")
        self._show_wallet("wallet before", creator, "USD", "0.00")
        self._show_access("access before", learner, course, (False, "purchase_required"))
        payment = self._purchase(learner, course, "USD", PRICES["USD"], "stripe")
        with self._stripe_held_back() as before:
            self._pay(payment)
            events = self._held_events(before)
            self._show_status("while its events are held back", learner, payment, "pending")
            self._show_wallet("wallet meanwhile", creator, "USD", "0.00")
            self.teller.note(f"Its {len(events)} events arrive last one first, then each once more:")
            for event in [*reversed(events), *events]:
                self.control.deliver(event["id"])
            for event in reversed(events):
                self.teller.fact(f"  {event['event']}", "delivered twice")
            self._wait_until_paid(learner, payment)
        self._show_verified(learner, payment, "paid")
        self._show_access("access after", learner, course, (True, "entitled"))
        self._show_enrollments(learner, 2, payment)
        self._show_wallet("wallet after: 80 %, once", creator, "USD", "24.00")
        return payment

    def keys_are_kept(self, learner: Person, course: dict[str, Any]) -> None:
        """An impatient client sends everything twice."""
        self.teller.step("The same request under the same Idempotency-Key is one purchase")
        other = self._platform_course(learner, skip=1)
        key = f"demo-{self.run}-twice"
        path = f"/api/courses/{other['id']}/purchase"
        first = learner.api.send("POST", path, body={"currency": "NGN"}, key=key)
        second = learner.api.send("POST", path, body={"currency": "NGN"}, key=key)
        self.teller.same("The repeated purchase", (second.status, second.body), (201, first.body))
        self.teller.same("Whether it was marked as replayed", second.replayed, True)
        self.teller.fact(
            "sent twice", f"one payment, …{first.body['reference'][-8:]}; the second answer is marked replayed"
        )
        changed = learner.api.send("POST", path, body={"currency": "USD"}, key=key)
        self.teller.same("Another request", (changed.status, changed.code), (422, "idempotency_key_reused"))
        self.teller.fact("the same key for something else", f"{changed.status} {changed.code}")
        again = learner.api.send(
            "POST", f"/api/courses/{course['id']}/purchase", body={"currency": "USD"}, key=f"{key}-2"
        )
        self.teller.same("Buying what one owns", (again.status, again.code), (409, "already_owned"))
        self.teller.fact("the course that he owns, again", f"{again.status} {again.code}")

    def card_is_declined(self, buyer: Person, creator: Person, course: dict[str, Any]) -> None:
        self.teller.step(f"{buyer.name}'s card is declined")
        payment = self._purchase(buyer, course, "USD", PRICES["USD"], "stripe")
        self.teller.fact("the checkout page says", press(payment["checkout_url"], "decline"))
        self._show_verified(buyer, payment, "failed")
        self._show_access("access", buyer, course, (False, "purchase_required"))
        self._show_wallet("creator's wallet, unchanged", creator, "USD", "24.00")

    def checkout_is_abandoned(self, buyer: Person) -> None:
        self.teller.step(f"{buyer.name} opens another checkout and walks away")
        course = self._platform_course(buyer)
        payment = self._purchase(buyer, course, *PLATFORM_PRICE, "paystack")
        press(payment["checkout_url"], "abandon")
        self._show_verified(buyer, payment, "pending")
        self.teller.note("It may still be paid until it expires; nothing is booked.")
        self._show_access("access", buyer, course, (False, "purchase_required"))
        self._show_enrollments(buyer, 0)

    # -- what it has come to -------------------------------------------------------------------------------

    def only_buyers_see_the_link(self, learner: Person, passer_by: Person, course: dict[str, Any]) -> None:
        self.teller.step("The course's link is there for those who bought it, and for nobody else")
        path = f"/api/courses/{course['id']}"
        for who, api, link in (
            ("somebody not signed in", Api(self.api_url), None),
            (passer_by.name, passer_by.api, None),
            (learner.name, learner.api, LINK),
        ):
            found = api.get(path)
            self.teller.same(f"The link as shown to {who}", found["link"], link)
            self.teller.fact(f"{who} sees", found["link"] or "no link")
        enrolled = learner.api.get("/api/courses/my-enrollments")["results"]
        links = [row["course"]["link"] for row in enrolled if row["course"]["id"] == course["id"]]
        self.teller.same("The link in my-enrollments", links, [LINK])

    def wallet_is_explained(self, creator: Person) -> None:
        self.teller.step(f"{creator.name}'s wallet: one sale, and where each cent of it went")
        listed = creator.api.get("/api/wallet/transactions")["results"]
        facts = [(row["type"], row["currency"], row["amount"], row["balance_after"]) for row in listed]
        self.teller.same("The transactions", facts, [("sale", "USD", "24.00", "24.00")])
        entry = creator.api.get(f"/api/wallet/transactions/{listed[0]['id']}")
        lines = {line["account"]: line["amount"] for line in entry["lines"]}
        expected = {"gateway-stripe": "-30.00", "available": "24.00", "fees": "6.00"}
        self.teller.same("The lines of the entry", sorted(lines.items()), sorted(expected.items()))
        for account, remark in (
            ("gateway-stripe", "what Stripe took in and owes us"),
            ("available", "the creator's share"),
            ("fees", "the platform's 20 %"),
        ):
            self.teller.amount(account, "USD", lines[account], remark)
        self.teller.amount("sum", "USD", "0.00")
        sales = creator.api.get("/api/courses/mine")["results"][0]["sales"]
        self.teller.same(
            "The sales of the course", (sales["count"], sales["gross"]), (1, [{"currency": "USD", "amount": "30.00"}])
        )
        self._show_wallet("may be withdrawn", creator, "USD", "24.00")

    # -- what comes after sales ----------------------------------------------------------------------------

    def buyer_takes_her_money_back(self, buyer: Person, creator: Person, course: dict[str, Any]) -> None:
        self.teller.step(f"{buyer.name} buys it after all, in GBP, and takes her money back in time")
        payment = self._purchase(buyer, course, "GBP", PRICES["GBP"], "stripe")
        self._pay(payment)
        self._wait_until_paid(buyer, payment)
        self._show_wallet("creator's wallet", creator, "GBP", "19.20")
        path = f"/api/payments/{payment['reference']}/refunds"
        refund = buyer.api.post(path, {"reason": "Not what I need."}, key=secrets.token_hex(16), status=201)
        self.teller.same("The refund", (refund["status"], refund["amount"]), ("done", PRICES["GBP"]))
        self.teller.amount("given back", "GBP", refund["amount"], "of which the creator bears 80 %, the platform 20 %")
        self._show_status("the payment", buyer, payment, "refunded")
        self._show_access("access after", buyer, course, (False, "revoked"))
        self._show_wallet("creator's wallet", creator, "GBP", "0.00")
        again = buyer.api.send("POST", path, body={"reason": "And again."}, key=secrets.token_hex(16))
        self.teller.same("A second refund", again.status, 409)
        self.teller.fact("once more", f"{again.status} {again.code}")

    def staff_come_in(self) -> Staff:
        self.teller.step("Somebody of the staff signs in, at the API and in the console")
        staff = Staff("Grace Eze", f"grace.{self.run}@example.com", Api(self.api_url), Console(self.api_url))
        password = secrets.token_urlsafe(12)
        self.seed_staff(staff.email, password)
        answer = staff.api.post("/auth/login", {"email": staff.email, "password": password})
        staff.api.sign_in(answer["access"])
        staff.console.sign_in(staff.email, password)
        self.teller.same("Her role", answer["user"]["role"], "admin")
        self.teller.fact(staff.name, f"{staff.email}, made with manage.py seed_admin")
        return staff

    def bank_asks_a_sale_back(
        self, learner: Person, creator: Person, course: dict[str, Any], payment: dict[str, Any], staff: Staff
    ) -> None:
        self.teller.step(f"{learner.name}'s bank asks the USD sale back: a dispute")
        dispute = str(self.control.open_dispute("stripe", self._session_of(payment))["id"])
        self._wait("The dispute", lambda: self._status_of(learner, payment) == "disputed")
        self._show_set_aside(creator, "0.00", "24.00")
        self._show_access("the learner's access, meanwhile", learner, course, (True, "entitled"))
        number = DISPUTE_PAGE.search(staff.console.read(f"/payments/dispute/?q={payment['reference']}"))
        if number is None:
            raise NotAsExpected("The console does not list the dispute.")
        evidence = staff.console.read(f"/payments/dispute/{number[1]}/evidence/")
        for fact in (learner.email, payment["reference"], course["title"], "Access given"):
            self.teller.same(f"What the evidence says of {fact}", fact in evidence, True)
        self.teller.fact(f"{staff.name} reads the evidence", f"{len(evidence.splitlines())} lines, from the records")
        page = staff.console.send(f"/payments/dispute/{number[1]}/send-evidence/", reason="The learner has the course.")
        self.teller.same("The console's answer to the evidence", "Evidence sent" in page, True)
        self.teller.fact("and sends it to the bank", "evidence sent; the dispute is under review")
        self.control.decide_dispute("stripe", dispute, "won")
        self._wait("The bank's decision", lambda: self._status_of(learner, payment) == "paid")
        self.teller.fact("the bank decides", "won: the sale stands")
        self._show_set_aside(creator, "24.00", "0.00")
        self.teller.note("Stripe's fee of USD 15.00 for a dispute is the platform's loss, not the creator's.")

    def person_decides_over_a_payment(
        self, buyer: Person, creator: Person, course: dict[str, Any], staff: Staff
    ) -> None:
        self.teller.step("A payment that does not add up settles only when a person says so")
        payment = self._purchase(buyer, course, "GBP", PRICES["GBP"], "stripe")
        session = self._session_of(payment)
        number = self.control.fault("wrong_reference", provider="stripe", method="GET", path=f"*{session}*")
        try:
            self._pay(payment)
            self.teller.note("What Stripe answers about it names another payment …")
            self._wait("The review", lambda: self._status_of(buyer, payment) != "pending")
        finally:
            with suppress(ControlError):  # used up, as it should be
                self.control.remove_fault(number)
        self._show_status("the payment", buyer, payment, "in_review")
        self._show_access("access", buyer, course, (False, "revoked"))
        self._show_wallet("creator's wallet", creator, "GBP", "0.00")
        open_cases = staff.api.get("/api/admin/reviews", page_size="100")["results"]
        (case,) = [row for row in open_cases if row["payment"] and row["payment"]["reference"] == payment["reference"]]
        self.teller.same("Why people are asked", case["reason"], "reference_mismatch")
        self.teller.fact(f"{staff.name} finds it in her list", case["detail"])
        path = f"/api/admin/reviews/{case['id']}/approve"
        decided = staff.api.post(path, {"reason": "Stripe's support confirms the payment."})
        self.teller.same("The decision", (decided["status"], decided["decided_by"]["email"]), ("approved", staff.email))
        self.teller.fact("and approves it", "with her name and her reason on record")
        self._show_status("the payment", buyer, payment, "paid")
        self._show_access("access after", buyer, course, (True, "entitled"))
        self._show_wallet("creator's wallet", creator, "GBP", "19.20")

    def coupon_is_used(self, creator: Person, course: dict[str, Any]) -> None:
        self.teller.step(f"{creator.name} makes a coupon of 20 %, once for each person; somebody buys with it")
        code = f"SOAP-{self.run}".upper()
        fields = {"code": code, "percent_bps": 2000, "max_uses_per_user": 1}
        item = {"item_type": "course", "item_id": course["id"]}
        coupon = creator.api.post("/api/payments/coupons", {**fields, **item}, status=201)
        self.teller.fact("coupon", f"{coupon['code']}: {coupon['percent_bps'] // 100} % off “{course['title']}”")
        buyer = self._sign_up("Amara Diallo")
        quote = buyer.api.post("/api/payments/quote", {**item, "currency": "NGN", "coupon": code.lower()})
        facts = (quote["price"], quote["discount"], quote["total"])
        self.teller.same("The quote", facts, (PRICES["NGN"], "9000.00", "36000.00"))
        self.teller.amount("price", "NGN", quote["price"])
        self.teller.amount("discount", "NGN", quote["discount"])
        payment = self._purchase(buyer, course, "NGN", "36000.00", "paystack", coupon=code)
        self._pay(payment)
        self._wait_until_paid(buyer, payment)
        self._show_access("access after", buyer, course, (True, "entitled"))
        self._show_wallet("creator's wallet: 80 % of what was paid", creator, "NGN", "28800.00")
        again = buyer.api.send("POST", "/api/payments/quote", body={**item, "currency": "USD", "coupon": "SOAP-X"})
        self.teller.same("A quote for what one owns", (again.status, again.code), (409, "already_owned"))
        uses = creator.api.get(f"/api/payments/coupons/{coupon['id']}")["uses"]
        self.teller.same("How often the coupon was used", uses, 1)
        self.teller.fact("uses of the coupon", "1")

    # -- money out -----------------------------------------------------------------------------------------

    def creator_withdraws(self, creator: Person) -> None:
        self.teller.step(f"{creator.name} withdraws to her bank: a mailed code, a transfer, and the bank has it")
        account = self._bank_account(creator, "1234")
        self.teller.fact(
            "the bank's own name for her account", f"{account['account_name']}, {account['account_number']}"
        )
        self._show_wallet("wallet before", creator, "NGN", "28800.00")
        withdrawal = self._withdraw(creator, account, "10000.00")
        wrong = creator.api.send("POST", f"{WITHDRAWALS}/{withdrawal['id']}/confirm", body={"code": "no code"})
        self.teller.same("The answer to a wrong code", (wrong.status, wrong.code), (422, "code_invalid"))
        self.teller.fact("a wrong code", f"{wrong.status} {wrong.code}")
        self._confirm(creator, withdrawal, "processing")
        self._show_withdrawn(creator, withdrawal, "paid")
        self._show_wallet("wallet after", creator, "NGN", "18800.00")

    def withdrawal_fails_and_comes_back(self, creator: Person) -> None:
        self.teller.step("Another bank refuses the transfer, and the money is back")
        withdrawal = self._withdraw(creator, self._bank_account(creator, "9901"), "5000.00")
        self._confirm(creator, withdrawal, "processing")
        self._show_withdrawn(creator, withdrawal, "failed")
        self._show_wallet("wallet, unchanged", creator, "NGN", "18800.00")

    def person_decides_over_a_withdrawal(self, creator: Person, staff: Staff) -> None:
        self.teller.step("The sixth withdrawal of a day is looked at by a person")
        account = self._bank_account(creator, "1234")
        for _ in range(3):
            small = self._withdraw(creator, account, "1000.00")
            self._confirm(creator, small, "processing")
        withdrawal = self._withdraw(creator, account, "5000.00")
        self._confirm(creator, withdrawal, "in_review")
        cases = staff.api.get("/api/admin/reviews", page_size="100")["results"]
        (case,) = [
            row for row in cases if row["withdrawal"] and row["withdrawal"]["reference"] == withdrawal["reference"]
        ]
        self.teller.fact(f"{staff.name} finds it in her list", case["detail"])
        path = f"/api/admin/reviews/{case['id']}/approve"
        decided = staff.api.post(path, {"reason": "I called her: it is her account."})
        self.teller.same("The decision", (decided["status"], decided["decided_by"]["email"]), ("approved", staff.email))
        self.teller.fact("and approves it", "with her name and her reason on record")
        self._show_withdrawn(creator, withdrawal, "paid")
        self._show_wallet("wallet after", creator, "NGN", "10800.00")

    def _bank_account(self, creator: Person, ending: str) -> dict[str, Any]:
        """A number of this telling's own, or people would share a bank account."""
        number = f"{int(self.run, 16) % 1_000_000:06}{ending}"
        return creator.api.post("/api/wallet/bank-accounts", {"account_number": number, "bank_code": "058"}, status=201)

    def _withdraw(self, creator: Person, account: dict[str, Any], amount: str) -> dict[str, Any]:
        wanted = {"amount": amount, "currency": "NGN", "bank_account_id": account["id"]}
        withdrawal = creator.api.post("/api/wallet/withdraw", wanted, key=secrets.token_hex(16), status=202)
        self.teller.same("The withdrawal", (withdrawal["status"], withdrawal["amount"]), ("otp_required", amount))
        self.teller.amount("asks for", "NGN", amount, "a code is mailed")
        return withdrawal

    def _confirm(self, creator: Person, withdrawal: dict[str, Any], expected: str) -> None:
        codes: list[str] = []

        def mailed() -> bool:
            text = self.mailbox(creator.email)
            if withdrawal["reference"] in text:
                codes.extend(MAILED_CODE.findall(text))
            return bool(codes)

        self._wait("The mail with the code", mailed)
        confirmed = creator.api.post(f"{WITHDRAWALS}/{withdrawal['id']}/confirm", {"code": codes[0]})
        self.teller.same("The withdrawal, confirmed,", confirmed["status"], expected)
        self.teller.fact("enters the code of the mail", f"{expected}: {confirmed['detail']}")

    def _show_withdrawn(self, creator: Person, withdrawal: dict[str, Any], expected: str) -> None:
        path = f"{WITHDRAWALS}/{withdrawal['id']}"
        self._wait("The transfer's end", lambda: creator.api.get(path)["status"] != "processing")
        ended = creator.api.get(path)
        self.teller.same("The withdrawal", ended["status"], expected)
        self.teller.fact("as the gateway says", f"{expected}{': ' + ended['detail'] if ended['detail'] else ''}")

    def books_are_proven(self) -> None:
        self.teller.step("manage.py prove: no money was made or lost")
        if not self.prove():
            raise NotAsExpected("`manage.py prove` found that something does not hold; its table names the rows.")

    # -- the learner's doings ------------------------------------------------------------------------------

    def _platform_course(self, person: Person, skip: int = 0) -> dict[str, Any]:
        """A course of the platform's own at its usual price."""
        currency, amount = PLATFORM_PRICE
        wanted = {"currency": currency, "amount": amount}
        courses = person.api.get("/api/courses", ordering="created_at", page_size="100")["results"]
        own = [course for course in courses if course["creator"] is None and wanted in course["prices"]]
        if len(own) <= skip:
            raise NotAsExpected(f"The catalogue has too few platform courses at {shown(currency, amount)}.")
        return dict(own[skip])

    def _purchase(
        self, buyer: Person, course: dict[str, Any], currency: str, amount: str, gateway: str, *, coupon: str = ""
    ) -> dict[str, Any]:
        path = f"/api/courses/{course['id']}/purchase"
        payment = buyer.api.post(path, {"currency": currency, "coupon": coupon}, key=secrets.token_hex(16), status=201)
        facts = (payment["status"], payment["gateway"], payment["currency"], payment["amount"])
        self.teller.same("The payment", facts, ("pending", gateway, currency, amount))
        self.teller.amount("to pay", currency, amount, f"at {gateway}, reference …{payment['reference'][-8:]}")
        return payment

    def _pay(self, payment: dict[str, Any]) -> None:
        went_to = press(payment["checkout_url"], "pay")
        back = urlsplit(went_to)
        page = "/".join(back.path.split("/")[-2:])  # the web client may live below a path
        self.teller.same("The page that the buyer comes back to", page, f"payments/{payment['reference']}")
        self.teller.fact("pays on the gateway's page", f"and comes back to {back.netloc}/payments/…")

    def _wait_until_paid(self, buyer: Person, payment: dict[str, Any]) -> None:
        """By the webhook alone: nobody has asked `verify` yet."""
        path = f"/api/payments/{payment['reference']}"
        self._wait("The payment's settlement by webhook", lambda: buyer.api.get(path)["status"] != "pending")
        self._show_status("settled by the webhook", buyer, payment, "paid")

    # -- facts ---------------------------------------------------------------------------------------------

    def _show_status(self, label: str, buyer: Person, payment: dict[str, Any], expected: str) -> None:
        status = buyer.api.get(f"/api/payments/{payment['reference']}")["status"]
        self.teller.same(f"The payment ({label})", status, expected)
        self.teller.fact(label, status)

    def _show_verified(self, buyer: Person, payment: dict[str, Any], expected: str) -> None:
        """`verify` needs no token, and says the same however often it is asked."""
        asked = [Api(self.api_url).post(f"/api/payments/verify/{payment['reference']}")["status"] for _ in range(2)]
        self.teller.same("What verify says", asked, [expected, expected])
        self.teller.fact("verify, asked twice", expected)

    def _show_access(self, label: str, person: Person, course: dict[str, Any], expected: tuple[bool, str]) -> None:
        access = person.api.get("/api/payments/access", item_type="course", item_id=course["id"])
        self.teller.same(f"The {label} of {person.name}", (access["granted"], access["reason"]), expected)
        self.teller.fact(label, f"{'granted' if access['granted'] else 'refused'}: {access['reason']}")

    def _show_enrollments(self, person: Person, count: int, payment: dict[str, Any] | None = None) -> None:
        rows = person.api.get("/api/courses/my-enrollments")["results"]
        self.teller.same(f"The number of {person.name}'s enrollments", len(rows), count)
        if payment:
            self.teller.same("The enrollment's payment", rows[0]["payment_reference"], payment["reference"])
        self.teller.fact("my-enrollments", ", ".join(row["course"]["title"] for row in rows) or "none")

    def _show_wallet(self, label: str, creator: Person, currency: str, expected: str) -> None:
        balance = creator.api.get("/api/wallet/balance", currency=currency)["balances"][0]
        found = (balance["available"], balance["total"])
        self.teller.same(f"The {label} (available, total)", found, (expected, expected))
        self.teller.amount(label, currency, balance["available"])

    def _show_set_aside(self, creator: Person, available: str, disputed: str) -> None:
        balance = creator.api.get("/api/wallet/balance", currency="USD")["balances"][0]
        found = (balance["available"], balance["disputed"])
        self.teller.same("The creator's wallet (available, disputed)", found, (available, disputed))
        self.teller.amount("creator's wallet: available", "USD", available)
        self.teller.amount("set aside until the bank decides", "USD", disputed)

    def _status_of(self, buyer: Person, payment: dict[str, Any]) -> str:
        return str(buyer.api.get(f"/api/payments/{payment['reference']}")["status"])

    def _session_of(self, payment: dict[str, Any]) -> str:
        """What Stripe calls the checkout."""
        sessions = self.control.rows("stripe.sessions")
        return next(str(row["id"]) for row in sessions if row["client_reference_id"] == payment["reference"])

    # -- the gateways' messages ----------------------------------------------------------------------------

    @contextmanager
    def _every_event_three_times(self, provider: str, event: str) -> Iterator[None]:
        number = self.control.fault("webhook_duplicate", provider=provider, event=event, count=2)
        try:
            yield
        finally:
            with suppress(ControlError):  # used up, as it should be
                self.control.remove_fault(number)

    @contextmanager
    def _stripe_held_back(self) -> Iterator[set[str]]:
        """Yields the ids of the events that there were before."""
        before = {row["id"] for row in self.control.webhooks(provider="stripe")}
        self.control.pause_webhooks("stripe")
        try:
            yield before
        finally:
            self.control.resume_webhooks("stripe")

    def _held_events(self, before: set[str]) -> list[dict[str, Any]]:
        def held() -> list[dict[str, Any]]:
            rows = self.control.webhooks(provider="stripe", status="held")
            return [row for row in rows if row["id"] not in before]

        self._wait("Stripe's events", lambda: bool(held()))
        return held()

    def _attempts(self, reference: str) -> int:
        rows = self.control.webhooks(about=reference, event="charge.success")
        return sum(attempt["accepted"] for row in rows for attempt in row["attempts"])

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise NotAsExpected(f"{what} did not come within {PATIENCE_SECONDS:.0f} seconds: does the worker run?")
            time.sleep(POLL_SECONDS)
