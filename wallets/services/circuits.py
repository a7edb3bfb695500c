"""A circuit breaker per gateway: one that does not answer is left alone for a while, so that neither workers nor the
gateway drown in calls that time out. What waits for it waits with a reason.

    closed --FAILURES in a row--> open --its time is over--> one call is let through --answers--> closed
                                   ^                                      |
                                   \\------------does not answer----------/   for twice as long, up to LONGEST
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q

from learning247.kit.clock import now
from wallets.enums import PayoutMethod
from wallets.models import GatewayCircuit

logger = structlog.get_logger(__name__)

FAILURES: Final = 5
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=10)
# For as long the one call that is let through has the gateway for itself.
PROBE: Final = timedelta(seconds=60)


def circuit_open_until(method: PayoutMethod) -> datetime | None:
    """Until when the gateway is to be left alone; None: ask it. Of those who come when that time is over, one is told
    to ask, the others to wait for what becomes of it."""
    circuit = GatewayCircuit.objects.filter(pk=method).first()
    if circuit is None or circuit.open_until is None:
        return None
    moment = now()
    if circuit.open_until > moment:
        return circuit.open_until
    with transaction.atomic(durable=True):
        due = Q(open_until=circuit.open_until)
        if GatewayCircuit.objects.filter(due, pk=method).update(open_until=moment + PROBE):
            return None
    return moment + PROBE


def circuit_failed(method: PayoutMethod) -> None:
    """The gateway did not answer."""
    with transaction.atomic(durable=True):
        GatewayCircuit.objects.bulk_create([GatewayCircuit(method=method)], ignore_conflicts=True)
        GatewayCircuit.objects.filter(pk=method).update(failures=F("failures") + 1)
        failures = GatewayCircuit.objects.values_list("failures", flat=True).get(pk=method)
        if failures >= FAILURES:
            pause = min(FIRST_PAUSE * 2 ** min(failures - FAILURES, 10), LONGEST_PAUSE)
            GatewayCircuit.objects.filter(pk=method).update(open_until=now() + pause)
            logger.error("gateway_circuit_open", method=method, failures=failures, seconds=int(pause.total_seconds()))


def circuit_answered(method: PayoutMethod) -> None:
    """The gateway answered, whatever it said."""
    closed = GatewayCircuit.objects.filter(pk=method, failures__gt=0).update(failures=0, open_until=None)
    if closed:
        logger.info("gateway_circuit_closed", method=method)
