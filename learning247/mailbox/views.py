"""The mailbox as pages, for whoever develops here. Nothing in a mail is run or fetched."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from learning247.mailbox.messages import KeptMail, mail_find, mail_list, mail_source

SHOWN: Final = 100
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Links open in a tab of their own, which is free of the sandbox; scripts, forms and fetches are not allowed.
MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
# Most mails do not say where their links open, and what they lead to refuses to be framed.
NEW_TAB: Final = '<base target="_blank">'


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    to = request.GET.get("to", "").strip()
    mails = mail_list(directory=settings.MAILBOX_DIRECTORY, to=to, limit=SHOWN)
    return _page(request, "mailbox/list.html", {"mails": mails, "to": to, "shown": SHOWN})


@require_safe
def mail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    return _page(request, "mailbox/mail.html", {"mail": _found(mail_id)})


@require_safe
@xframe_options_sameorigin
def mail_html(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """The HTML part as it is."""
    html = _found(mail_id).html
    before, head, after = html.partition("<head>")
    framed = f"{before}{head}{NEW_TAB}{after}" if head else NEW_TAB + html
    return HttpResponse(framed, headers={"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"})


@require_safe
def mail_as_sent(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """The mail's own bytes, to open in a mail program."""
    source = mail_source(mail_id, directory=settings.MAILBOX_DIRECTORY)
    if source is None:
        raise Http404
    answer = HttpResponse(source, content_type="message/rfc822")
    answer["Content-Disposition"] = f'attachment; filename="{mail_id}.eml"'
    return answer


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    answer = render(request, template, context)
    answer["Content-Security-Policy"] = PAGE_POLICY
    answer["Cache-Control"] = "no-store"
    return answer


def _found(mail_id: UUID) -> KeptMail:
    found = mail_find(mail_id, directory=settings.MAILBOX_DIRECTORY)
    if found is None:
        raise Http404
    return found
