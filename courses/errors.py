"""What the courses app refuses, and what the person can do next."""

from learning247.kit.errors import Conflict, Malformed, NotFound, Unprocessable


class DepartmentNotFound(NotFound):
    code = "department_not_found"
    detail = "There is no such department."


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


class CourseNeverPublished(Conflict):
    code = "course_never_published"
    detail = "This course is a draft and was never on sale. Delete it instead."


class AccessTypeNotAvailable(Unprocessable):
    code = "access_type_not_available"
    detail = "Monthly and yearly passes are not on sale yet. Buy the course itself: access_type individual."
