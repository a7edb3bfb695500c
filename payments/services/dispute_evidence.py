"""Evidence on its way to the gateway: once, by somebody of staff, with a reason on record."""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.kit.clock import now
from learning247.records.errors import ReasonRequired
from learning247.records.services.audit import audit_record
from payments.enums import DisputeStatus
from payments.errors import DisputeClosed, DisputeNotFound
from payments.evidence import evidence_of
from payments.gateways import DisputeEvidence, gateway_named
from payments.models import Dispute
from payments.services.disputes import dispute_refresh

ANSWERABLE = (DisputeStatus.WARNING, DisputeStatus.NEEDS_RESPONSE)


def dispute_evidence_send(*, dispute_id: UUID, actor: User, reason: str) -> Dispute:
    """Send the evidence to the gateway, which hands it to the bank: it cannot be taken back. Not in a transaction.

    That somebody sends it is on record before the gateway hears of it. Sent twice (an answer that was lost), it has the
    same evidence twice. Raises ReasonRequired, DisputeNotFound, DisputeClosed, GatewayRejected,
    GatewayUnavailable.
    """
    if not reason.strip():
        raise ReasonRequired
    dispute = _claim(dispute_id, actor, reason.strip())
    payment = dispute.payment
    evidence = evidence_of(dispute)
    gateway_named(payment.gateway).send_evidence(
        dispute.gateway_dispute_id,
        DisputeEvidence(
            customer_name=evidence.customer_name,
            customer_email=evidence.customer_email,
            purchase_ip=evidence.purchase_ip,
            product=evidence.product,
            activity=evidence.activity,
            service_date=evidence.service_date,
            document=evidence.document,
        ),
    )
    Dispute.objects.filter(pk=dispute_id).update(evidence_sent_at=now())
    return dispute_refresh(payment=payment, gateway_dispute_id=dispute.gateway_dispute_id)


@transaction.atomic(durable=True)
def _claim(dispute_id: UUID, actor: User, reason: str) -> Dispute:
    known = Dispute.objects.select_related("payment__product", "payment__buyer")
    dispute = known.select_for_update(of=("self",), no_key=True).filter(pk=dispute_id).first()
    if dispute is None:
        raise DisputeNotFound
    if dispute.status not in ANSWERABLE:
        raise DisputeClosed
    audit_record(
        actor=actor,
        action="dispute.evidence_sent",
        subject_kind="dispute",
        subject_id=dispute.pk,
        reason=reason,
        before={"status": dispute.status, "evidence_sent_at": dispute.evidence_sent_at},
        after={"payment": dispute.payment.reference, "gateway_dispute_id": dispute.gateway_dispute_id},
    )
    return dispute
