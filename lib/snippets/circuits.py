"""Snippets of the Circuits page."""

from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import corpus_taken_apart, feature_of, with_one_text
from lib.snippets.script import Script
from lib.snippets.snippet import Case, Snippet

TEXT, FEATURE = "circuit_text", "circuit_feature"
_LENSES = ("tuned", "raw")
_PLACES = {"zeros": "zero", "mean of the corpus": "mean"}
_STEP = 2_000
_WHERE = ("in this text", "over its texts")
_NEEDS = "The command takes a typed text and a feature's number, and here one of them was chosen another way."


def trace(case: Case) -> Snippet | None:
    """Trace: one feature of one text, layer by layer."""
    if not case.layered:
        return None
    script = _lens(case, _chosen(case))
    script.use("lib.sae.circuits.states", "pooled_states")
    script.use("lib.sae.circuits.trace", "trace")
    script.add(
        "states = pooled_states(encoder(), [text])",
        "found = trace(sae, lens, states, text=text, feature=feature)",
    )
    script.show("Peak", "{found.depths[found.peak]} · {found.activations[found.peak]:.3f}")
    script.show("Verdict", "found.verdict")
    script.add(
        "for depth, activation in zip(found.depths, found.activations, strict=True):",
        "    print(depth, f'{activation:.3f}')",
    )
    command = _command(case)
    if command is not None:
        command.option("--lens", case.choice("circuit_lens", _LENSES), usual="tuned").with_sae().with_encoder()
    return snippet_of(script, command, note="" if command else _NEEDS)


def births(case: Case) -> Snippet | None:
    """Births: at which layer the features of the corpus appear."""
    if not case.layered:
        return None
    asked = case.typed("births_texts")
    most = int(asked) if asked.isdecimal() else case.texts if asked or case.texts <= _STEP else _STEP
    script = _lens(case, corpus_taken_apart(case))
    script.use("lib.kept", "kept")
    script.use("lib.shelf", "default_shelf")
    script.use("lib.sae.circuits.births", "Births", "births")
    script.use("lib.sae.circuits.shelved", "births_inputs")
    script.add(
        f"how = {{'sae': sae, 'lens': lens, 'most': {most}}}",
        f"inputs = births_inputs(corpus.texts, checkpoint, precision={case.precision!r}, **how)",
        "found = kept(Births, inputs, default_shelf(), lambda: births(encoder(), corpus.texts, **how))",
    )
    script.show("Features judged", "len(found.features)")
    script.add(
        "for depth, name in enumerate(lens.depths):",
        "    print(name, (found.birth == depth).sum(), 'features are born')",
    )
    return snippet_of(script, note="`sae circuit --corpus` tells births as well, beside a text and a feature.")


def writers(case: Case) -> Snippet | None:
    """Writers: which parts of the encoder write a feature."""
    if not case.layered:
        return None
    replacement = _PLACES[case.choice("writers_replacement", _PLACES)]
    script = _chosen(case)
    script.use("lib.sae.circuits.background", "background")
    script.add("beside = background(encoder(), sae, corpus.texts, feature=feature)")
    if case.choice("writers_where", _WHERE) == _WHERE[0]:
        script.use("lib.sae.circuits.writers", "writers")
        script.add(
            "found = writers(", "    encoder(), sae, text, feature=feature, beside=beside, replacement="
            f"{replacement!r},", ")",
        )  # fmt: skip
    else:
        script.use("numpy")
        script.use("lib.sae.circuits.corpus_writers", "corpus_writers")
        against = "None" if replacement == "zero" else "beside"
        script.add(
            "fires = np.isin(np.arange(len(corpus)), codes.firing(feature)[0])",
            "found = corpus_writers(",
            f"    encoder(), sae, corpus.texts, feature=feature, fires=fires, beside={against}, "
            f"replacement={replacement!r},",
            ")",
        )
    script.show("Pre-activation", "found.pre_activation", ".3f")
    script.show("The two ways", "found.agreement.verdict")
    command = _command(case)
    if command is not None:
        command.beside_corpus().option("--writers").option("--replacement", replacement, usual="zero")
        command.with_sae().with_encoder()
    return snippet_of(script, command, note="" if command else _NEEDS)


def _chosen(case: Case) -> Script:
    """A script with `text`, `vector` and `feature`."""
    script = corpus_taken_apart(case)
    with_one_text(case, script, TEXT)
    script.use("lib.sae.decomposition", "decompose")
    script.add(f"feature = {feature_of(case, FEATURE, 'decompose(sae, vector).features')}")
    return script


def _lens(case: Case, script: Script) -> Script:
    kind = case.choice("circuit_lens", _LENSES)
    script.use("lib.sae.circuits.lens_file", "known_lens")
    if kind == "raw":
        script.use("lib.sae.circuits.lens", "raw_lens")
        other = "raw_lens(checkpoint)"
    else:
        script.use("lib.sae.circuits.lens_fit", "fit_lens")
        other = "fit_lens(encoder(), corpus.texts, sae=sae)"
    script.add(f"lens = known_lens({kind!r}, checkpoint, sae) or {other}")
    return script


def _command(case: Case) -> Command | None:
    typed = case.typed(TEXT)
    feature = feature_of(case, FEATURE, "")
    if not typed or not feature.isdecimal():
        return None
    return Command(case, "sae", "circuit").option("--text", typed).option("--feature", feature)


VIEWS = {"Trace": trace, "Births": births, "Writers": writers}
