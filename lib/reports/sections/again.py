"""How each section can be had again: a view of the app, a command line, and Python with the library alone."""

import shlex
from typing import Any

from lib.reports.material import Options
from lib.reports.report import Link

_CORPUS, _QUERIES = "corpus", "queries"
_PLACES: dict[str, tuple[str, str, str, str]] = {
    "map": ("geometry", "Map", "geometry --map umap --clusters hdbscan", _CORPUS),
    "anisotropy": ("geometry", "Anisotropy", "geometry", _CORPUS),
    "dimension": ("geometry", "Dimension", "geometry", _CORPUS),
    "labels": ("geometry", "Labels", "geometry", _CORPUS),
    "hubs": ("geometry", "Hubs", "geometry", _CORPUS),
    "outliers": ("geometry", "Outliers", "geometry", _CORPUS),
    "layers": ("layers", "Build-up", "layers --head-texts 0", _CORPUS),
    "heads": ("layers", "Heads", "layers", _CORPUS),
    "quality": ("retrieval", "Quality", "retrieval --bm25", _QUERIES),
    "ranks": ("retrieval", "Quality", "retrieval", _QUERIES),
    "hard_negatives": ("retrieval", "Hard negatives", "retrieval", _QUERIES),
    "against": ("retrieval", "Comparison", "retrieval", _QUERIES),
}
_CODE = {
    "map": "from lib.geometry import project\nproject(vectors, method='umap', seed={seed})",
    "anisotropy": "from lib.geometry import anisotropy\nanisotropy(vectors, seed={seed}).mean_cosine",
    "dimension": "from lib.geometry import intrinsic_dimension\nintrinsic_dimension(vectors, seed={seed})",
    "labels": "from lib.geometry import label_fit\nlabel_fit(vectors, corpus.labels, k=10, seed={seed})",
    "hubs": "from lib.geometry import hubness\nhubness(vectors, k=10, seed={seed})",
    "outliers": "from lib.geometry import score\nfrom lib.overview.space import fence\n"
    "fence(score(vectors, rule='{rule}', reference_labels=corpus.labels, seed={seed})).flagged",
    "layers": "from lib.layers import findings, layer_build_up\n"
    "findings(layer_build_up(encoder, corpus.texts, corpus.labels, seed={seed}))",
    "heads": "from lib.layers import flag_heads, head_entropy\n"
    "flag_heads(head_entropy(encoder, corpus.texts, seed={seed}))",
    "quality": "from lib.retrieval import evaluate\n"
    "evaluate(queries, query_vectors, document_vectors, seed={seed}).summaries",
    "ranks": "from lib.retrieval import evaluate\n"
    "evaluate(queries, query_vectors, document_vectors, seed={seed}).ranks",
    "hard_negatives": "from lib.retrieval import evaluate\n"
    "evaluate(queries, query_vectors, document_vectors, seed={seed}).negatives",
    "against": "from lib.retrieval import paired_test\n"
    "paired_test(second.metrics, first.metrics, 'ndcg@10', seed={seed})",
}


def again(name: str, options: Options, *, beside: str = "", rule: str = "") -> dict[str, Any]:
    """`link`, `command` and `code` of the section `name`.

    `beside` is what a second encoder is opened from, `rule` the out-of-distribution rule in use.
    """
    page, view, command, on = _PLACES[name]
    link: Link = (page, (("view", view), *options.query))
    given = options.corpus_argument if on == _CORPUS else options.queries_argument
    if beside:
        command = f"{command} --compare {shlex.quote(beside)}"
    if rule:
        command = f"{command} --rule {rule}"
    line = f"python -m lib {command} {given} --seed {options.seed}" if given else ""
    return {"link": link, "command": line, "code": _CODE[name].format(seed=options.seed, rule=rule)}
