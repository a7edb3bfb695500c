"""The staff console's view of courses. State and money change through actions that call the services."""

from courses.admin.courses import CourseAdmin, DepartmentAdmin
from courses.admin.enrollments import EnrollmentAdmin
from courses.admin.passes import CoursePassAdmin

__all__ = ["CourseAdmin", "CoursePassAdmin", "DepartmentAdmin", "EnrollmentAdmin"]
