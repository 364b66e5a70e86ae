"""Snippets of the Layers page."""

from lib.snippets import geometry
from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import corpus_in_space
from lib.snippets.snippet import Case, Snippet

_SAMPLE, _COLLAPSED, _UNIFORM, _SILENT = 256, 0.1, 0.95, 0.05
_CKA, _OVERLAP, _COSINE = 0.9, 0.5, 0.9


def build_up(case: Case) -> Snippet | None:
    """Build-up: similarity, agreement with the output and dimension at every depth."""
    if not case.layered:
        return geometry.anisotropy(case)
    cka, overlap, cosine = (
        case.number(key, usual)
        for key, usual in (("build_cka", _CKA), ("build_overlap", _OVERLAP), ("build_collapse", _COSINE))
    )
    asked = case.whole("build_texts", 0 if case.texts <= 2_000 or case.typed("build_texts") == "all" else 2_000)
    most = asked or None
    script = corpus_in_space(case)
    script.use("lib.kept", "kept")
    script.use("lib.layers", "BuildUp", "build_up_inputs", "findings", "layer_build_up")
    script.use("lib.shelf", "default_shelf")
    script.add(
        f"inputs = build_up_inputs(corpus, checkpoint, precision={case.precision!r}, most_texts={most})",
        "found = kept(",
        "    BuildUp, inputs, default_shelf(),",
        f"    lambda: layer_build_up(encoder(), corpus.texts, corpus.labels, most_texts={most}),",
        ")",
        f"read = findings(found, settled_cka={cka!r}, settled_overlap={overlap!r}, collapsed_cosine={cosine!r})",
        "for depth, mean, alike in zip(found.names, found.mean_cosine, found.cka_output, strict=True):",
        '    print(f"{depth}: mean cosine {mean:.3f}, CKA with the output {alike:.3f}")',
    )
    script.show("Settled at depth", "read.settled")
    script.show("Collapsed from depth", "read.collapse")
    command = Command(case, "layers").with_corpus().option("--most-texts", most or False).option("--head-texts", 0)
    command.option("--settled-cka", cka, usual=_CKA).option("--settled-overlap", overlap, usual=_OVERLAP)
    return snippet_of(script, command.option("--collapsed-cosine", cosine, usual=_COSINE))


def heads(case: Case) -> Snippet | None:
    """Heads: attention entropy, and which are flagged."""
    if not case.layered:
        return None
    sample = case.whole("heads_texts", case.texts if case.typed("heads_texts") == "all" else min(_SAMPLE, case.texts))
    collapsed, uniform, silent = (
        case.number(key, usual)
        for key, usual in (("heads_collapsed", _COLLAPSED), ("heads_uniform", _UNIFORM), ("heads_silent", _SILENT))
    )
    script = corpus_in_space(case)
    script.use("lib.kept", "kept")
    script.use("lib.layers", "HeadEntropy", "flag_heads", "head_entropy", "head_entropy_inputs")
    script.use("lib.shelf", "default_shelf")
    script.add(
        f"inputs = head_entropy_inputs(corpus, checkpoint, precision={case.precision!r}, sample={sample})",
        "found = kept(",
        "    HeadEntropy, inputs, default_shelf(),",
        f"    lambda: head_entropy(encoder(), corpus.texts, sample={sample}),",
        ")",
        f"flags = flag_heads(found, collapsed={collapsed!r}, uniform={uniform!r}, silent={silent!r})",
    )
    script.show("Mean entropy", "found.entropy.mean()", ".2f")
    for name, flag in (("Collapsed", "collapsed"), ("Near uniform", "uniform"), ("Add little", "silent")):
        script.show(name, f"{{flags.{flag}.sum()}} of {{found.entropy.size}}")
    command = Command(case, "layers").with_corpus().option("--head-texts", sample, usual=_SAMPLE)
    command.option("--collapsed", collapsed, usual=_COLLAPSED).option("--uniform", uniform, usual=_UNIFORM)
    return snippet_of(script, command.option("--silent", silent, usual=_SILENT))


VIEWS = {"Build-up": build_up, "Heads": heads}
