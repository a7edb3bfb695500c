"""A transaction in the shapes of Paystack's answers and events, which differ in many small ways.

Field names and types follow the official OpenAPI document; the event follows the official sample body.
"""

from __future__ import annotations

from learning247.sandbox.paystack.cards import card_of
from learning247.sandbox.wire import Json

ADDRESS = "127.0.0.1"


def verified(record: Json, customer: Json, status: str) -> Json:
    """``data`` of GET /transaction/verify/{reference}."""
    return _common(record, status) | {
        "receipt_number": None,
        "authorization": _authorization(record) if record["fees"] is not None else {},
        "customer": customer,
        "plan": None,
        "fees_breakdown": None,
        "connect": None,
        "source": None,
        "transaction_date": record["created_at"],
        "plan_object": {},
    }


def fetched(record: Json, customer: Json, status: str) -> Json:
    """``data`` of GET /transaction/{id}."""
    return _common(record, status) | {
        "receipt_number": None,
        "helpdesk_link": None,
        "authorization": _authorization(record),
        "customer": customer | {"metadata": {}},
        "plan": {},
        "fees_breakdown": None,
        "connect": None,
        "source": {"type": "api", "source": "merchant_api", "identifier": None},
    }


def listed(record: Json, customer: Json, status: str) -> Json:
    """A row of GET /transaction."""
    metadata = record["metadata"] if isinstance(record["metadata"], dict) else None
    return _common(record, status) | {
        "authorization": _authorization(record),
        "customer": customer,
        "plan": {},
        "connect": None,
        "metadata": metadata,
        "source": {
            "source": "merchant_api",
            "type": "api",
            "identifier": None,
            "entry_point": "transaction_initialize",
        },
    }


def charged(record: Json, customer: Json) -> Json:
    """``data`` of the charge.success event."""
    return _common(record, "success") | {
        "authorization": _authorization(record),
        "customer": customer,
        "plan": {},
        "fees_breakdown": None,
        "source": {
            "type": "api",
            "source": "merchant_api",
            "entry_point": "transaction_initialize",
            "identifier": None,
        },
    }


def disputed(record: Json) -> Json:
    """``data.transaction`` of the dispute events: many parts are left empty there."""
    return _common(record, record["status"]) | {
        "log": None,
        "authorization": {},
        "customer": {"international_format_phone": None},
        "plan": {},
    }


def _common(record: Json, status: str) -> Json:
    paid_at = record["paid_at"]
    return {
        "id": record["id"],
        "domain": "test",
        "status": status,
        "reference": record["reference"],
        "amount": record["amount"],
        "message": None,
        "gateway_response": record["gateway_response"],
        "paid_at": paid_at,
        "created_at": record["created_at"],
        "channel": "card",
        "currency": record["currency"],
        "ip_address": ADDRESS,
        "metadata": record["metadata"],
        "log": _log(record),
        "fees": record["fees"],
        "fees_split": None,
        "split": {},
        "subaccount": {},
        "order_id": None,
        "paidAt": paid_at,
        "createdAt": record["created_at"],
        "requested_amount": record["requested_amount"],
        "pos_transaction_data": None,
    }


def _log(record: Json) -> Json | None:
    """The customer's steps on the page; none before the first attempt."""
    attempts = record["attempts"]
    if not attempts:
        return None
    history = [{"type": "action", "message": "Attempted to pay with card", "time": 1} for _ in attempts]
    last = attempts[-1]["response"]
    history.append(
        {
            "type": "error" if last else "success",
            "message": f"Error: {last}" if last else "Successfully paid with card",
            "time": 2,
        }
    )
    return {
        "start_time": int(attempts[0]["at"]),
        "time_spent": 2,
        "attempts": len(attempts),
        "errors": sum(1 for attempt in attempts if attempt["response"]),
        "success": not last,
        "mobile": False,
        "input": [],
        "history": history,
    }


def _authorization(record: Json) -> Json:
    """The card used, without its number; nulls while there was none."""
    used = bool(record["authorization_code"])
    card = card_of(record["card"])
    return {
        "authorization_code": record["authorization_code"] if used else None,
        "bin": card.number[:6] if used else None,
        "last4": card.number[-4:] if used else None,
        "exp_month": "12" if used else None,
        "exp_year": "2030" if used else None,
        "channel": "card" if used else None,
        "card_type": "visa " if used else None,
        "bank": "TEST BANK" if used else None,
        "country_code": ("US" if card.foreign else "NG") if used else None,
        "brand": "visa" if used else None,
        "reusable": used,
        "signature": record["signature"] if used else None,
        "account_name": None,
        "receiver_bank_account_number": None,
        "receiver_bank": None,
    }
