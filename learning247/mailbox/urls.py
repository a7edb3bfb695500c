from django.urls import path

from learning247.mailbox import views

urlpatterns = [
    path("dev/mailbox", views.mailbox, name="mailbox"),
    path("dev/mailbox/<uuid:mail_id>", views.mail, name="mailbox-mail"),
    path("dev/mailbox/<uuid:mail_id>/html", views.mail_html, name="mailbox-mail-html"),
    path("dev/mailbox/<uuid:mail_id>/source", views.mail_as_sent, name="mailbox-mail-source"),
]
