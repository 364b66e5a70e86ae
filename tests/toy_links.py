"""An address and what it opens: the controls of a page as the browser writes them into its address."""

from streamlit.runtime.state.query_params import _coerce_value_for_query_url

KINDS = ("button_group", "selectbox", "multiselect", "slider", "select_slider", "number_input", "text_input",
         "text_area", "toggle", "checkbox")  # fmt: skip
TYPED = "interest on a loan"
"""What is typed into a field of text."""


def controls(at):
    """Controls that are bound to the address, by name: value, and the text of it there; None where it is the default.

    The double runs no browser: this is what one would write, with the same rules by which the server does.
    """
    state, found = at._session_state._state, {}
    for widget, binding in state.query_params._bindings_by_widget.items():
        known = state._new_widget_state.widget_metadata[widget]
        value = state[widget]
        text = _coerce_value_for_query_url(known.serializer(value), known.value_type)
        found[binding.param_key] = value, None if value == known.deserializer(None) else text
    return found


def address(at):
    """The address of the page as the browser has it."""
    held = {name: text for name, (_, text) in controls(at).items()}
    return {name: text for name, text in at.query_params.items() if name not in held} | {
        name: text for name, text in held.items() if text is not None
    }


def lost(at, *, chosen=()):
    """Controls that do not stand as they begin, and of which the server has told the browser nothing.

    What was `chosen` by hand the browser writes by itself.
    """
    return {
        name
        for name, (_, text) in controls(at).items()
        if text is not None and name not in chosen and name not in at.query_params
    }


def widgets(at):
    """The widgets that a user can change, by key."""
    return {widget.key: widget for kind in KINDS for widget in at.get(kind) if widget.key}


def another(widget):
    """A value that the widget does not have now; None where there is no other."""
    options = [str(getattr(option, "content", option)) for option in getattr(widget, "options", ())]
    if widget.type in ("button_group", "selectbox", "select_slider"):
        held = str(widget.value[0] if isinstance(widget.value, list) and widget.value else widget.value)
        return next((option for option in options[1:] + options[:1] if option != held), None)
    if widget.type == "multiselect":
        return [option for option in options if option not in widget.value][:1] or widget.value[:1]
    if widget.type in ("slider", "number_input"):
        step = widget.step or 1
        return widget.value + step if widget.max is None or widget.value + step <= widget.max else widget.value - step
    if widget.type in ("toggle", "checkbox"):
        return not widget.value
    return TYPED


def seen(at):
    """What the page shows: numbers, tables, figures, sentences, and where the controls stand."""
    return {
        "controls": {name: value for name, (value, _) in controls(at).items()},
        "numbers": {metric.label: metric.value for metric in at.metric},
        "figures": [chart.proto.spec for chart in at.get("plotly_chart")],
        "tables": [frame.value.to_csv() for frame in at.dataframe],
        "sentences": [text.value for kind in ("subheader", "caption", "markdown", "error", "info", "warning")
                      for text in at.get(kind)],
    }  # fmt: skip


SIDEBAR = ("encoder", "precision", "corpus", "label", "queries", "query_sample", "sae")
"""Choices of what a page is about; `query_prompt_...` and `document_prompt_...` are others."""


def reopens(opened, page, base, *, keep=(), choose=None):
    """Change every control of a view by hand, as one user, and open its address as another: both see the same.

    Args:
        opened: opens a page at an address, as the fixtures `app` and `with_sae` do.
        page: the page.
        base: the address of the view, with what keeps it quick.
        keep: keys of controls that are left as they are.
        choose: values for controls whose next one would be no good, by key.
    """
    one = opened(page, base)
    at = one.page
    chosen = {
        key: (choose or {}).get(key, another(widget))
        for key, widget in widgets(at).items()
        if key in controls(at) and key not in (*SIDEBAR, *keep, *base) and "_prompt_" not in key
    }
    for key, value in chosen.items():
        if value is not None:
            widgets(at)[key].set_value(value)
    one.run()
    assert not lost(at, chosen=chosen)
    link = address(at)
    there = {key for key in chosen if key in controls(at)}
    assert len(there & set(link)) >= len(there) / 2, (chosen, link)  # it is not all as it began
    other = opened(page, link).page
    assert seen(other) == seen(at)
    assert address(other) == link
    return at
