"""What became of an enrollment, for evidence."""

from courses.models import Enrollment
from payments.models import Entitlement
from payments.usage import Used


def enrollment_usage(entitlement: Entitlement) -> list[Used]:
    """Who was enrolled, and when the sign-in for the course was sent to them."""
    lines = []
    for enrollment in Enrollment.objects.filter(entitlement=entitlement):
        student = f"{enrollment.student_name} <{enrollment.student_email}>"
        lines.append(Used(enrollment.created_at, f"Enrolled: {student}"))
        if enrollment.credentials_sent_at:
            lines.append(Used(enrollment.credentials_sent_at, f"Sign-in for the course sent to {student}"))
    return lines
