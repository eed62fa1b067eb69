"""Forms of the administration: Unfold's widgets, and the domain's refusals beside the fields they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from unfold import widgets

from mendline.kernel.errors import Invalid, Refused
from mendline.kernel.text import Text
from mendline.web.templatetags.console import say

DATE_CLASSES = " ".join(widgets.INPUT_CLASSES)
SELECT_CLASSES = " ".join(name for name in widgets.SELECT_CLASSES if name != "appearance-none")


class OfficeForm(forms.Form):
    """A form whose fields look like Unfold's; `refuse` shows what an action says no to."""

    use_required_attribute = False  # we say what is missing ourselves, in the language of the page

    def refuse(self, refused: Refused) -> None:
        """Show a refusal beside the fields it names, or above the form."""
        named = refused.fields if isinstance(refused, Invalid) else {}
        for name, text in named.items():
            self.add_error(name if name in self.fields else None, say(text))
        if not named:
            self.add_error(None, say(refused.detail))


def line(label: str, *, required: bool = True, longest: int = 100, help_text: str = "", **attributes: str) -> Any:
    """Return a field of one line."""
    widget = widgets.UnfoldAdminTextInputWidget(attrs=attributes)
    return forms.CharField(label=label, required=required, max_length=longest, help_text=help_text, widget=widget)


def choice(label: str, choices: Sequence[tuple[str, Any]] = (), *, required: bool = True, help_text: str = "") -> Any:
    """Return a list to choose one from."""
    # Unfold's own select draws its arrow with a letter font, which is read aloud as a word.
    widget = forms.Select(attrs={"class": SELECT_CLASSES})
    return forms.ChoiceField(label=label, choices=choices, required=required, help_text=help_text, widget=widget)


def several(label: str, choices: Sequence[tuple[str, Any]], *, help_text: str = "") -> Any:
    """Return boxes to tick; none ticked is refused by whoever needs one."""
    widget = forms.CheckboxSelectMultiple()
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, help_text=help_text, widget=widget)


def day(label: str, *, required: bool = True, help_text: str = "") -> Any:
    """Return a date."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": DATE_CLASSES})
    return forms.DateField(label=label, required=required, help_text=help_text, widget=widget)


def options(names: Mapping[str, Text], empty: Text | None = None) -> list[tuple[str, str]]:
    """Return choices in the language of the page; `empty` is what choosing nothing means."""
    found = [(code, say(text)) for code, text in names.items()]
    return [("", say(empty)), *found] if empty is not None else found
