"""Why staff do what they do: the field in which the console asks for it, and the forms that have one."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from learning247.records.errors import ReasonRequired
from learning247.records.reasons import LONGEST

_WHY = "For the record, naming nobody."


class ReasonField(forms.CharField):
    def __init__(self, *, max_length: int = LONGEST, help_text: str = _WHY, **options: Any) -> None:
        widget = forms.TextInput(attrs={"class": "vTextField"})
        said = {"required": ReasonRequired.detail}
        super().__init__(max_length=max_length, help_text=help_text, widget=widget, error_messages=said, **options)


class ReasonForm(forms.Form):
    """What an action asks before it acts."""

    reason = ReasonField()


class ReasonedForm(forms.ModelForm):
    """Asks why before it makes a row, or changes one that is there."""

    reason = ReasonField(required=False)

    def changes(self) -> dict[str, Any]:
        """What it changes of the row: field -> new value. Browsers send every line's end as CRLF, changed or not."""
        found = {}
        for name in self.changed_data:
            value = self.cleaned_data.get(name)
            if isinstance(value, str):
                value = value.replace("\r\n", "\n")
            if name != "reason" and value != self.initial.get(name):
                found[name] = value
        return found

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if (self.instance._state.adding or self.changes()) and not self.cleaned_data.get("reason"):
            self.add_error("reason", ReasonRequired.detail)
        return cleaned


class ReasonedAdmin(admin.ModelAdmin):
    """Its form is a ReasonedForm, which asks at its end."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [
            (name, {**options, "fields": [field for field in options["fields"] if field != "reason"]})
            for name, options in super().get_fieldsets(request, obj)
        ]
        if self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj):
            shown.append(("Why", {"fields": ["reason"]}))
        return shown
