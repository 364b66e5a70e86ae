"""Snippet of the Network page."""

from lib.sae.network.settings import DEFAULT_FEATURES, DEFAULT_MEASURE, DEFAULT_THRESHOLDS
from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import arguments, corpus_taken_apart
from lib.snippets.snippet import Case, Snippet


def network(case: Case) -> Snippet:
    """Which features fire together, and what chance would give."""
    measures = [DEFAULT_MEASURE, *(name for name in DEFAULT_THRESHOLDS if name != DEFAULT_MEASURE)]
    measure, most = case.choice("network_measure", measures), case.whole("network_features", DEFAULT_FEATURES)
    usual = next(value for name, value in DEFAULT_THRESHOLDS.items() if name == measure)
    threshold = round(case.number(f"network_{measure}", usual), 4)
    hide = case.flag("network_hide", usual=True)
    script = corpus_taken_apart(case)
    script.use("lib.sae.network", "network")
    how = arguments(most=most, measure=measure, threshold=threshold, hide_everywhere=hide)
    script.add(f"found = network(codes, {how})")
    script.show("Features", "{len(found)} of {found.shown_of}")
    script.show("Edges", "found.passed")
    script.show("Edges by chance", "{found.null_edges:.1f}, {found.null_edges_low:.0f} to {found.null_edges_high:.0f}")
    script.show("Clusters", "found.groups")
    command = (
        Command(case, "sae", "network").with_corpus().with_sae().option("--features", most, usual=DEFAULT_FEATURES)
    )
    command.option("--measure", measure, usual=DEFAULT_MEASURE).option("--threshold", threshold, usual=usual)
    return snippet_of(script, command.option("--show-everywhere", not hide))


VIEWS = {"": network}
