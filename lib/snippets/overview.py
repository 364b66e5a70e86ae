"""Snippet of the Overview."""

from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import ask, corpus_in_space
from lib.snippets.snippet import Case, Snippet


def overview(case: Case) -> Snippet:
    """The eight signals, and what stands out."""
    script = corpus_in_space(case)
    script.use("lib.overview", "made_answers", "made_layers", "made_space", "overview_of")
    script.use("lib.shelf", "default_shelf")
    script.add("parts = [made_space(corpus, vectors, default_shelf(), key=key)[0]]")
    if case.own_vectors:
        script.add("queries, source, fingerprint = None, 'precomputed', None")
    else:
        script.add("parts.append(made_layers(corpus, checkpoint, default_shelf(), encoder))")
        ask(case, script)
        script.add(
            "source, fingerprint = checkpoint.source, checkpoint.fingerprint",
            "parts.append(made_answers(queries, asked, documents, system=source)[0])",
        )
    script.add(
        "found = overview_of(parts, encoder=source, fingerprint=fingerprint, corpus=corpus, queries=queries)",
        "for signal in found.signals:",
        "    print(f'{signal.quantity}: {signal.shown}')",
        "for one in found.standouts:",
        "    print(one.sentence)",
    )
    command = Command(case, "overview").with_corpus()
    if not case.own_vectors:
        command.with_queries()
    return snippet_of(script, command.option("--beside", case.typed("beside"), usual=""))


VIEWS = {"": overview}
