"""The few pages a browser sees: small, server-rendered, without foreign assets; every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #16202a; --paper: #fff; --edge: #d5dbe1; --field: #f3f5f7;
  --go: #0a6b4b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --paper: #17202a; --edge: #37434f; --field: #10171e; --go: #35b98a; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--field); }
main { max-width: 30rem; margin: 6vh auto; padding: 2rem; background: var(--paper);
  border: 1px solid var(--edge);
  border-radius: 14px; }
h1 { font-size: 1.1rem; margin: 0 0 .3rem; }
.amount { font-size: 2rem; font-weight: 650; margin: .2rem 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; margin: 1rem 0; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
label { display: block; margin: 1rem 0 .3rem; }
input, button { width: 100%; padding: .7rem .8rem; font: inherit; border-radius: 8px;
  border: 1px solid var(--edge); }
input { background: var(--field); color: inherit; }
input[type=checkbox] { width: auto; }
button { margin-top: .6rem; cursor: pointer; background: transparent; color: inherit; }
button.go { background: var(--go); border-color: var(--go); color: var(--paper); font-weight: 600; }
button:focus-visible, input:focus-visible, a:focus-visible {
  outline: 3px solid #3b82f6; outline-offset: 2px; }
.notice { padding: .6rem .8rem; border-left: 4px solid #b45309; background: var(--field); }
.tag { display: inline-block; font-size: .8rem; padding: .1rem .5rem; border: 1px solid var(--edge);
  border-radius: 99px; }
table { width: 100%; font-size: .85rem; border-collapse: collapse; }
td, th { text-align: left; padding: .25rem; }
code { overflow-wrap: anywhere; }
details { margin: .8rem 0; }
[hidden] { display: none !important; }
"""

# Currencies with other than two decimal places, for showing an amount; the rest have two.
PLACES = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
    0,
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)


@dataclass(frozen=True)
class Checkout:
    """What a payment page shows. ``cards`` are number and meaning of the provider's test cards."""

    gateway: str
    merchant: str
    amount: int
    currency: str
    email: str
    reference: str
    items: tuple[str, ...]
    cards: tuple[tuple[str, str], ...]
    default_card: str
    notice: str = ""
    pays_later: bool = False


def money(amount: int, currency: str) -> str:
    """``NGN 25,000.00`` from minor units."""
    code = currency.upper()
    # Paystack counts XOF in hundredths, Stripe does not; the sandbox's Paystack does not offer XOF.
    places = PLACES.get(code, 2)
    whole, part = divmod(amount, 10**places)
    return f"{code} {whole:,}" + (f".{part:0{places}d}" if places else "")


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def checkout_page(checkout: Checkout) -> str:
    """The payment form. Each button posts ``action``; a script can post the same without a browser."""
    notice = f'<p class="notice" role="alert">{escape(checkout.notice)}</p>' if checkout.notice else ""
    later = _button("pay_later", "Pay by bank debit (settles later)") if checkout.pays_later else ""
    facts = [("Email", checkout.email or "not given"), ("Reference", checkout.reference)]
    facts += [("For", item) for item in checkout.items]
    return page(
        f"Pay {checkout.merchant}",
        f'<p class="tag">{escape(checkout.gateway)} test mode — no money moves</p>'
        f"<h1>{escape(checkout.merchant)}</h1>"
        f'<p class="amount">{escape(money(checkout.amount, checkout.currency))}</p>{_facts(facts)}{notice}'
        '<form method="post"><label for="card">Test card number</label>'
        '<input id="card" name="card" inputmode="numeric" autocomplete="off" '
        f'value="{escape(checkout.default_card)}">'
        + _button("pay", f"Pay {money(checkout.amount, checkout.currency)}", go=True)
        + _button("decline", "Decline")
        + later
        + _button("abandon", "Abandon and go back")
        + f"</form>{_cards(checkout.cards)}",
    )


def message_page(title: str, text: str, link: str = "") -> str:
    """A short statement, with a way on where there is one."""
    way = f'<p><a href="{escape(link)}">Continue</a></p>' if link.startswith(("http://", "https://")) else ""
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{way}")


def onboarding_page(account: str, email: str) -> str:
    """Stands for Stripe's questions to somebody who wants to be paid out."""
    return page(
        "Set up payouts",
        '<p class="tag">Stripe test mode — no data is asked</p><h1>Set up payouts</h1>'
        + _facts([("Account", account), ("Email", email or "not given")])
        + '<form method="post">'
        + _button("complete", "Complete the set-up", go=True)
        + _button("leave", "Leave it for later")
        + "</form>",
    )


def account_page(people: Iterable[Mapping[str, Any]], notice: str = "") -> str:
    """Stands for Google's choice of an account: one button for each, a form for any other, and a way out."""
    said = f'<p class="notice" role="alert">{escape(notice)}</p>' if notice else ""
    rows = "".join(
        f'<button type="submit" name="sub" value="{escape(row["sub"])}">{escape(row["name"])} '
        f"&lt;{escape(row['email'])}&gt;{'' if row['email_verified'] else ' (not verified)'}</button>"
        for row in people
    )
    fields = "".join(
        f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" autocomplete="off">'
        for name, label, kind in (
            ("email", "Email", "email"),
            ("given_name", "First name", "text"),
            ("family_name", "Last name", "text"),
        )
    )
    return page(
        "Choose an account",
        '<p class="tag">stand-in for Google — no password is asked</p><h1>Choose an account</h1>'
        f'<p>to continue to Learning247</p>{said}<form method="post">{rows}</form>'
        f'<details><summary>Use another account</summary><form method="post">{fields}'
        '<label for="unverified"><input id="unverified" name="unverified" type="checkbox" value="yes"> '
        "Google has not verified this email</label>"
        '<button class="go" type="submit">Continue</button></form></details>'
        f'<form method="post">{_button("deny", "Cancel")}</form>',
    )


def index_page(public_url: str, webhook_urls: dict[str, str], counts: dict[str, int]) -> str:
    """What this server is, where it listens and what it holds."""
    bases = [
        ("PAYSTACK_BASE_URL", f"{public_url}/paystack"),
        ("STRIPE_API_BASE", f"{public_url}/stripe"),
        ("GOOGLE_ISSUER", f"{public_url}/google"),
    ]
    held = [(name, str(count)) for name, count in counts.items()] or [("Nothing yet", "0")]
    return page(
        "Sandbox",
        "<h1>Sandbox</h1><p>Paystack, Stripe and Google sign-in, offline: the real wire protocol, test data only. "
        "Point the application at these addresses:</p>"
        + _facts(bases)
        + "<p>Events are sent to:</p>"
        + _facts(list(webhook_urls.items()))
        + "<p>Held now:</p>"
        + _facts(held)
        + '<p>Levers: <code>/control</code> — <a href="/control/webhooks">webhooks</a>, '
        '<a href="/control/requests">requests</a>, <a href="/control/faults">faults</a>, '
        '<a href="/control/state">state</a>.</p>',
    )


def _button(action: str, label: str, *, go: bool = False) -> str:
    style = ' class="go"' if go else ""
    return f'<button{style} type="submit" name="action" value="{escape(action)}">{escape(label)}</button>'


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>"


def _cards(cards: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><td><code>{escape(number)}</code></td><td>{escape(what)}</td></tr>" for number, what in cards)
    return (
        '<details><summary>Test cards</summary><table><thead><tr><th scope="col">Number</th>'
        f'<th scope="col">What happens</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )
