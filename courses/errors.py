"""What the courses app refuses, and what the person can do next."""

from learning247.kit.errors import NotFound, Unprocessable


class DepartmentNotFound(NotFound):
    code = "department_not_found"
    detail = "There is no such department."


class CourseNotFound(NotFound):
    """Also for a draft or a withdrawn course of somebody else: whether it exists is nobody's business."""

    code = "course_not_found"
    detail = "There is no such course."


class CourseNotPublishable(Unprocessable):
    code = "course_not_publishable"
    detail = "Give the course at least one price first; a price of zero makes it free of charge."


class AccessTypeNotAvailable(Unprocessable):
    code = "access_type_not_available"
    detail = "Monthly and yearly passes are not on sale yet. Buy the course itself: access_type individual."
