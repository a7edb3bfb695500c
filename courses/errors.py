"""What the courses app refuses, and what the person can do next."""

from learning247.kit.errors import Conflict, Malformed, NotFound, Unprocessable


class DepartmentNotFound(NotFound):
    code = "department_not_found"
    detail = "There is no such department."


class DepartmentNotEmpty(Conflict):
    code = "department_not_empty"
    detail = "There are courses in this department. Move them to another one first."


class DepartmentUnknown(Malformed):
    """The same where a department is named in a request's body."""

    code = "department_not_found"
    detail = "There is no such department. GET /api/courses/departments lists them."


class CourseNotFound(NotFound):
    """Also for a draft or a withdrawn course of somebody else: whether it exists is nobody's business."""

    code = "course_not_found"
    detail = "There is no such course."


class CourseNotPublishable(Unprocessable):
    code = "course_not_publishable"
    detail = "Give the course at least one price first; a price of zero makes it free of charge."


class CoursePricesRefused(Unprocessable):
    """Prices that staff cannot set; the detail says why."""

    code = "course_prices_refused"


class CourseNeverPublished(Conflict):
    code = "course_never_published"
    detail = "This course is a draft and was never on sale. Delete it instead."


class CourseUnknown(Malformed):
    """The same where a course is named in a request's body or query; also for a draft, which nobody can be let into."""

    code = "course_not_found"
    detail = "There is no such course, or it was never on sale."


class AccessTypeNotAvailable(Unprocessable):
    code = "access_type_not_available"
    detail = "A pass opens the platform's courses, and this one is its creator's. Buy the course itself instead."


class EnrollmentNotFound(NotFound):
    code = "enrollment_not_found"
    detail = "There is no such enrollment."


class EnrollmentRevoked(Conflict):
    code = "enrollment_revoked"
    detail = "This enrollment was revoked. Enrol the student again if that was a mistake."


class EnrollmentExpired(Conflict):
    code = "enrollment_expired"
    detail = "This enrollment has expired, so there is nothing to send. The student can buy again."


class AccountUnknown(Malformed):
    code = "account_not_found"
    detail = "Nobody has an account with this email. The person has to register first."
