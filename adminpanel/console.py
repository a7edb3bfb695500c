"""The Django admin under the platform's name. Each app brings its own pages; money states change by actions alone."""

from django.contrib.admin import AdminSite


class StaffConsole(AdminSite):
    site_title = "Learning247"
    site_header = "Learning247 staff console"
    index_title = "What is going on"
    site_url = "/api/docs"
