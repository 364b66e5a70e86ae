"""Snippets of the Diagnostics page."""

from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import corpus_taken_apart
from lib.snippets.retrieval_parts import faithfulness
from lib.snippets.snippet import Case, Snippet

_THRESHOLD, _SHARE, _TOP = 0.8, 0.5, 20


def absorption(case: Case) -> Snippet:
    """Absorption: pairs of features of which one fires wherever the other does."""
    threshold, most = case.number("absorption_threshold", _THRESHOLD), case.number("absorption_share", _SHARE)
    support = case.whole("absorption_support", 0) or None
    script = corpus_taken_apart(case)
    script.use("lib.sae.diagnostics", "scan_absorption")
    script.add(
        "found = scan_absorption(",
        f"    codes, sae, threshold={threshold!r}, min_support={support}, most_share={most!r},",
        ")",
    )
    script.show("Pairs flagged", "(~found.chance).sum()")
    script.show("One concept twice", "(~found.chance & found.mutual).sum()")
    script.show("Chance could be", "found.chance.sum()")
    script.show("Features compared", "{found.supported} of {found.features}")
    command = _command(case).option("--threshold", threshold, usual=_THRESHOLD)
    command.option("--min-support", support or False).option("--most-share", most, usual=_SHARE)
    return snippet_of(script, command)


def polysemy(case: Case) -> Snippet:
    """Polysemy: features whose examples lie far apart."""
    top = case.whole("polysemy_top", _TOP)
    script = corpus_taken_apart(case)
    script.use("lib.sae.diagnostics", "polysemy")
    script.add(f"found = polysemy(vectors, codes, texts=corpus.texts, top={top})")
    script.show("Measured", "len(found)")
    script.show("Several senses", "{found.polysemous.sum()} ({found.polysemous.mean():.1%})")
    script.show("Several, by chance", "found.random_several", ".1%")
    script.show("Random variance", "found.random_mean", ".3f")
    return snippet_of(script, _command(case).option("--top", top, usual=_TOP))


def health(case: Case) -> Snippet:
    """Health: how the dictionary fits the corpus."""
    script = corpus_taken_apart(case)
    script.use("lib.sae.diagnostics", "health", "known_from_training")
    script.add(
        "frequency, stability = known_from_training(sae, database)",
        "found = health(",
        "    vectors, codes, sae, labels=corpus.labels, frequency=frequency, stability=stability,",
        ")",
    )
    script.show("FVU", "{found.unexplained.total:.3f}, {found.unexplained.low:.3f} to {found.unexplained.high:.3f}")
    script.show("Active a text", "found.mean_active", ".1f")
    script.show("Silent here", "{found.silent} ({found.silent / len(found.counts):.1%})")
    script.show("Always on", "len(found.always_on)")
    script.show("Duplicates", "len(found.duplicates)")
    return snippet_of(script, _command(case))


def _command(case: Case) -> Command:
    return Command(case, "sae", "diagnose").with_corpus().with_sae()


VIEWS = {"Absorption": absorption, "Polysemy": polysemy, "Faithfulness": faithfulness, "Health": health}
