"""Snippets of the Geometry page."""

from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import arguments, corpus_in_space
from lib.snippets.snippet import Case, Snippet

_MAPS = {"UMAP": "umap", "PCA": "pca", "t-SNE": "tsne"}
_CLUSTERS = {"HDBSCAN": "hdbscan", "k-means": "kmeans"}
_RULES = {
    "corpus centroid": "centroid",
    "nearest label centroid": "label_centroid",
    "k-th neighbour": "neighbour",
    "nearest local centroid": "local_centroid",
    "Mahalanobis": "mahalanobis",
}
_DEFAULTS = "The command makes maps and clusters with its own settings: it has no option for those changed here."


def corpus_map(case: Case) -> Snippet:
    """Map: trustworthiness, labels in the full space, clusters."""
    method, clusters = _MAPS[case.choice("map", _MAPS)], _CLUSTERS[case.choice("clusters", _CLUSTERS)]
    seed = case.whole("seed", 0)
    layout: dict[str, object] = {"method": method, "dimensions": int(case.choice("dims", ("2D", "3D"))[0])}
    usual = layout["dimensions"] == 2
    if method == "umap":
        layout |= {"neighbours": case.whole("near", 15), "min_dist": case.number("min_dist", 0.1)}
        usual = usual and (layout["neighbours"], layout["min_dist"]) == (15, 0.1)
    if method == "tsne":
        layout["perplexity"] = case.number("perplexity", 30.0)
        usual = usual and layout["perplexity"] == 30
    group: dict[str, object] = {"method": clusters}
    size = case.whole(*("count", 0) if clusters == "kmeans" else ("min_size", 0))
    if size:
        group["count" if clusters == "kmeans" else "min_size"], usual = size, False
    script = corpus_in_space(case)
    script.use("lib.geometry", "label_fit")
    script.use("lib.kept", "kept_clusters", "kept_projection")
    script.use("lib.shelf", "default_shelf")
    script.add(
        f"layout = kept_projection(key, vectors, default_shelf(), {arguments(**layout, seed=seed)})",
        f"groups = kept_clusters(key, vectors, default_shelf(), {arguments(**group)})",
    )
    script.show("Trustworthiness", "layout.trustworthiness", ".3f")
    script.add("if corpus.labels is not None:", "    fit = label_fit(vectors, corpus.labels)")
    script.show("Label silhouette", "fit.silhouette", ".3f", indent=4)
    script.show("Label purity", "fit.purity", ".1%", indent=4)
    script.show("Clusters", "groups.count")
    script.show("Far from any cluster", "{groups.far.sum()} ({groups.far.mean():.1%})")
    command = Command(case, "geometry").with_corpus().option("--map", method).option("--clusters", clusters)
    return snippet_of(script, command.option("--seed", seed, usual=0), note="" if usual else _DEFAULTS)


def anisotropy(case: Case) -> Snippet:
    """Anisotropy: the mean cosine, exact, and uniformity."""
    pairs = case.whole("pairs", 200_000)
    script = corpus_in_space(case)
    script.use("lib.geometry", "anisotropy", "uniformity")
    script.add(
        f"found = anisotropy(vectors, max_pairs={pairs})",
        f"even = uniformity(vectors, corpus.labels, max_pairs={pairs})",
    )
    script.show("Mean cosine", "found.mean_cosine", ".3f")
    script.show("After mean-centering", "found.mean_cosine_centred", ".3f")
    script.show("Top direction", "found.top_direction_share", ".1%")
    script.show("Uniformity", "even.uniformity", ".3f")
    return snippet_of(script, Command(case, "geometry").with_corpus())


def dimension(case: Case) -> Snippet:
    """Dimension: how many are used."""
    script = corpus_in_space(case)
    script.use("lib.geometry", "intrinsic_dimension")
    script.add("found = intrinsic_dimension(vectors)")
    script.show("Components for 95 %", "{found.components_95} of {found.dimensions}")
    script.show("Participation ratio", "found.participation_ratio", ".1f")
    script.add("if found.two_nn is not None:")
    script.show("TwoNN", "found.two_nn", ".1f", indent=4)
    return snippet_of(script, Command(case, "geometry").with_corpus())


def labels(case: Case) -> Snippet:
    """Labels: within and between them, silhouette, purity."""
    script = corpus_in_space(case)
    script.use("lib.geometry", "label_fit", "label_similarity")
    script.add(
        "# needs a column of labels",
        "alike, fit = label_similarity(vectors, corpus.labels), label_fit(vectors, corpus.labels)",
    )
    script.show("Within labels", "alike.mean_within", ".3f")
    script.show("Between labels", "alike.mean_between", ".3f")
    script.show("Silhouette", "fit.silhouette", ".3f")
    script.show("Purity", "fit.purity", ".1%")
    return snippet_of(script, Command(case, "geometry").with_corpus())


def hubs(case: Case) -> Snippet:
    """Hubs: skewness of the k-occurrence."""
    k = case.whole("k", 10)
    script = corpus_in_space(case)
    script.use("lib.geometry", "hubness")
    script.add(f"found = hubness(vectors, k={k})")
    script.show("Skewness", "found.skewness", ".2f")
    script.show("Nobody's neighbour", "found.antihub_share", ".1%")
    script.add("for row, times in zip(found.hubs[:5], found.hub_counts):", "    print(times, corpus.texts[row])")
    note = "" if k == 10 else "The command counts 10 neighbours: it has no option for their number."
    return snippet_of(script, Command(case, "geometry").with_corpus(), note=note)


def outliers(case: Case) -> Snippet:
    """Outliers: which texts score above the threshold."""
    rule, quantile = _RULES[case.choice("rule", _RULES)], case.number("quantile", 0.95)
    by_value = case.choice("threshold", ("quantile", "value")) == "value" and "above" in case.settings
    limit = f"value={case.number('above', 0.0)!r}" if by_value else f"quantile={quantile!r}"
    marks = case.typed("truth") or ("ood" if case.corpus == "topics" else "")
    script = corpus_in_space(case)
    script.use("lib.geometry", "flag", "score")
    script.add(
        f"found = score(vectors, rule={rule!r}, reference_labels=corpus.labels)", f"flagged = flag(found, {limit})"
    )
    script.show("Flagged", "{len(flagged.rows)} ({flagged.share:.1%})")
    script.show("Threshold", "flagged.threshold", ".3f")
    command = Command(case, "geometry").with_corpus().option("--rule", rule, usual="centroid")
    if not by_value:
        command.option("--quantile", quantile, usual=0.95)
    if marks and marks != "(none)":
        script.use("lib.geometry", "detection")
        script.add(f"out = corpus.columns[{marks!r}].fillna(value=False).to_numpy(dtype=bool)")
        script.show("AUROC", "detection(found.scores, out).auroc", ".3f")
        command.option("--out-column", marks)
    note = "The command flags above a quantile: it has no option for a score." if by_value else ""
    return snippet_of(script, command, note=note)


VIEWS = {
    "Map": corpus_map,
    "Anisotropy": anisotropy,
    "Dimension": dimension,
    "Labels": labels,
    "Hubs": hubs,
    "Outliers": outliers,
}
