"""Write docs/examples.md again: `make examples`. Every figure in it comes from the command above it, run here."""

import contextlib
import io
import json
import shlex
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lib.cli import main as command_line
from lib.encoders import PACKAGED_STATIC

OUT = Path(__file__).parent / "examples.md"
TEXT = "The patient presented with acute chest pain and elevated troponin levels."
OTHER = "The landlord kept the deposit when the tenant moved out."
SAMPLE = "sample:topics"
MEDICATIONS, SEVERE_PAIN, HEART, SYMPTOMS, DISEASE = 160, 2873, 823, 2242, 3199
"""Features of the packaged dictionary."""
SHOWN = 8
"""Rows of a table."""

OPENING = f"""# Examples, as they come out
The same text, the same sample corpus and the dictionary that ships, through everything that works on features. Each section begins with the command that made it; the page opens the same view. `make examples` writes this file anew, numbers and all; what is weak is left as it is.

The text: *{TEXT}* The corpus: the 402 short documents of `{SAMPLE}`, 126 each on medicine, law and finance, and 24 others. Labels in quotes are the dictionary's own guesses, each with a score ([how far to trust them](sae.md#labels-and-how-far-to-trust-them)).
"""  # noqa: E501  (a paragraph is one line)


def main() -> None:
    """Run every command and write the file."""
    sections = (decomposition, browser, contrast, network, circuit, steering, diagnostics, faithfulness, matching)
    OUT.write_text("\n".join([OPENING, *(section() for section in sections)]), encoding="utf-8")


def decomposition() -> str:
    """One text taken apart."""
    command, found = _run("decompose", "--text", TEXT)
    one = found["texts"][0]
    rows = [(_name(f), f"{f['activation']:.3f}", _share(f["share"])) for f in one["features"][:SHOWN]]
    return f"""## What is in this vector?
{command}
[{_link("sae_features", "Decompose", text=TEXT)}]

{one["active"]} of {one["dictionary"]:,} features are active. They carry {_share(one["features_share"])} of the vector, the constant {_share(one["bias_share"])}, and {_share(one["error_share"])} is left unexplained (FVU {one["fvu"]:.3f}).

{_table(("feature", "activation", "share of the vector"), rows)}

Among the strongest: the condition, the pain, the chest, the heart. And what the word pieces bring along: “tropics, trophoblastic” fires on *tropo-*, part of *troponin*.
"""  # noqa: E501


def browser() -> str:
    """The features of a corpus."""
    command, found = _run("features", "--corpus", SAMPLE, "--top", str(SHOWN))
    special, ranked = _run("features", "--corpus", SAMPLE, "--by", "specificity", "--top", str(SHOWN))
    rows = [
        (_name(f), _share(f["frequency"]), f"{f['maximum']:.2f}", f"{f['score']:.2f}")
        for f in [*found["features"], *ranked["features"]]
    ]
    headers = ("feature", "texts", "max. activation", "label's score")
    return f"""## Which concepts does the corpus hold?
{command}
{special}
[{_link("sae_features", "Browser")}]

{found["fires"]:,} of {found["fires"] + found["silent"]:,} features fire somewhere, {found["mean_active"]:.0f} on a text. By total activation those come first that fire on more than half of the texts: ways of writing more than subjects. By specificity, those that part the corpus's labels. A score is the AUROC of a label on texts held out, .5 being chance: “restoration” says little of where its feature fires.

{_table(headers, rows[:SHOWN])}

{_table(headers, rows[SHOWN:])}
"""  # noqa: E501


def contrast() -> str:
    """Two texts side by side."""
    command, found = _run("contrast", "--text", TEXT, "--text", OTHER)
    only = {side: [f for f in found["features"] if f["differs"] and f[side] > 0][:3] for side in ("a", "b")}
    named = {side: ", ".join(f"{_name(f)} {f[side]:.2f}" for f in these) for side, these in only.items()}
    return f"""## What sets two texts apart?
{command}
[{_link("sae_features", "Contrast", text_a=TEXT, text_b=OTHER)}]

Cosine {found["cosine"]:.2f}: {found["only_a"]} features fire on the first alone, {found["only_b"]} on the second alone, {found["shared"]} on both. Strongest of the first: {named["a"]}; of the second: {named["b"]}.
"""  # noqa: E501


def network() -> str:
    """Features that fire together, at the plain measure of 12 features and at the page's own."""
    few, small = _run("network", "--corpus", SAMPLE, "--features", "12", "--measure", "frequency")
    same, plain = _run("network", "--corpus", SAMPLE, "--features", "12")
    many, large = _run("network", "--corpus", SAMPLE)
    real = sorted((edge for edge in small["edges"] if not edge["chance"]), key=lambda edge: -edge["co_frequency"])
    names = {node["feature"]: _name(node) for node in small["nodes"]}
    edges = [
        (f"{names[e['feature_a']]} and {names[e['feature_b']]}", _share(e["co_frequency"]), f"{e['expected']:.0f}",
         str(e["both"]))
        for e in real[:SHOWN]
    ]  # fmt: skip
    clusters = [
        (c["name"], str(len(c["features"])),
         *(f"{_share(own)} ({_share(base)})" for own, base in zip(c["share"], c["base"], strict=True)))
        for c in large["clusters"]
    ]  # fmt: skip
    return f"""## Which features fire together?
{few}
[{_link("network", None, network_features="12", network_measure="frequency")}]

Twelve features joined where both fire on 15 % of the texts or more: {small["edges_kept"]} edges. Shuffled texts have {small["null_edges"]:.0f} ({small["null_edges_low"]:.0f} to {small["null_edges_high"]:.0f}, the fewest and most of {small["shuffles"]} shuffles), and {small["chance_edges"]} of the {small["edges_kept"]} are marked as what chance gives: frequent features meet often whatever they mean. Of the {len(real)} others, the {len(edges)} most frequent:

{_table(("edge", "texts with both", "expected", "found"), edges)}

{same}
[{_link("network", None, network_features="12")}]

So the page joins by the correlation of activations instead. The same twelve have {plain["edges_kept"]} edges by it, {plain["chance_edges"]} of them marked, and fall into {len(plain["clusters"])} clusters; shuffled texts have {plain["null_edges"]:.2f} edges.

{many}
[{_link("network", None)}]

As the page opens: {large["features"]} features, {large["edges_kept"]} edges, of which {large["chance_edges"]} are marked; shuffled texts have {large["null_edges"]:.1f} ({large["null_edges_low"]:.0f} to {large["null_edges_high"]:.0f}). Its {len(large["clusters"])} clusters, each with the share of its firings by label and, in brackets, that of all features shown:

{_table(("cluster", "features", *large["clusters"][0]["labels"]), clusters)}
"""  # noqa: E501


def circuit() -> str:
    """Three features through the layers, and where features are born."""
    parts = []
    for feature in (SEVERE_PAIN, HEART, SYMPTOMS):
        command, found = _run("circuit", "--text", TEXT, "--feature", str(feature))
        parts.append(_trace(command, found["trace"], found["lens"], feature))
    feature = str(SEVERE_PAIN)
    command, found = _run("circuit", "--text", TEXT, "--feature", feature, "--corpus", SAMPLE, "--writers")
    parts += [_births(command, found["births"]), _writers(found["writers"], feature)]
    return "\n".join(["## At which layer does a feature appear, and what writes it?", *parts])


def _trace(command: str, trace: dict[str, Any], lens: dict[str, Any], feature: int) -> str:
    labels, other = trace["labels"], trace["as_guessed"]
    guessed = "" if other == trace["verdict"] else f" Without bringing each reading to length 1 it would be {other}."
    rows = [
        (depth, f"{value:.3f}", "" if not place else f"{trace['growth'][place - 1]:+.3f}",
         "" if lens["r2"][place] == 1 else f"{lens['r2'][place]:.2f}",
         ", ".join(f"“{labels[str(beside)]}”" for beside in trace["coactive"][place][:3] if beside >= 0))
        for place, (depth, value) in enumerate(zip(trace["depths"], trace["activations"], strict=True))
    ]  # fmt: skip
    return f"""{command}
[{_link("circuits", "Trace", circuit_text=TEXT, circuit_feature=str(feature))}]

#{feature} “{labels[str(feature)]}”, read through the tuned lens: peak at {trace["peak_depth"]}, total gain {trace["total_gain"]:+.3f}, steps of growth: {trace["growth_steps"]}. Verdict: **{trace["verdict"]}**. {trace["rule"]}{guessed}

{_table(("depth", "activation", "growth", "the lens's held-out R2", "strongest beside it"), rows)}
"""  # noqa: E501


def _writers(writers: dict[str, Any], feature: str) -> str:
    one, many = writers["in_text"], writers["over_texts"]
    rows = [
        (part, f"{one['direct'][i]:+.3f}", "" if one["left_out"][i] is None else f"{-one['left_out'][i]:+.3f}",
         f"{many['difference'][i]:+.3f} ({many['difference_low'][i]:+.3f} to {many['difference_high'][i]:+.3f})",
         "" if not i else f"{-many['left_out_difference'][i]:+.3f}")
        for i, part in enumerate(one["parts"])
    ]  # fmt: skip
    headers = (
        "part",
        "adds, in this text",
        "left out, in this text",
        "adds, over its texts",
        "left out, over its texts",
    )
    return f"""[{_link("circuits", "Writers", circuit_text=TEXT, circuit_feature=feature)}]

What writes #{feature} into the vector? Its pre-activation here, {one["pre_activation"]:.3f}, is the sum of what the parts add, with the scale of every norm held as it is, and a constant of {one["constant"]:+.3f}. Beside it: how the pre-activation changes when the part is left out and the rest runs anew. The two {one["agreement"]["verdict"]} (rank correlation of what a part adds with what is lost without it: {one["agreement"]["correlation"]:+.2f}). Over the {many["firing"]} texts on which it fires, less {many["silents"]} on which it does not ({many["left_out_silents"]} for leaving out), they {many["agreement"]["verdict"]} ({many["agreement"]["correlation"]:+.2f}).

{_table(headers, rows)}
"""  # noqa: E501


def _births(command: str, births: dict[str, Any]) -> str:
    verdicts = {name: births["verdicts"].count(name) / len(births["verdicts"]) for name in births["rules"]}
    told = ", ".join(f"{_share(part)} {name}" for name, part in sorted(verdicts.items(), key=lambda one: -one[1]))
    judged, least = len(births["features"]), births["least"]
    rows = [(depth, str(born)) for depth, born in zip(births["depths"], births["born"], strict=True)]
    return f"""{command}
[{_link("circuits", "Births")}]

Over the corpus, {judged} features fire on {least} texts or more. {births["birth_rule"]}
Of their mean curves, {told}.

{_table(("depth", "features born"), rows)}
"""


def steering() -> str:
    """A feature pushed, and what retrieval makes of it."""
    command, found = _run(
        "steer", "--text", TEXT, "--feature", str(MEDICATIONS), "--delta", "4", "--corpus", SAMPLE, "--dose"
    )
    retrieval, dose, target = found["retrieval"], found["dose"], found["targets"][0]
    rank = retrieval["firing_mean_rank"]
    refused, other = _run(
        "steer", "--text", TEXT, "--feature", str(DISEASE), "--delta", "4", "--corpus", SAMPLE, "--dose"
    )
    no, named = other["dose"], other["targets"][0]
    before = {hit["id"]: hit["rank"] for hit in retrieval["before"]}
    old, rows = (
        [(str(hit["rank"]), str(hit["other_rank"]), hit["text"], "yes" if hit["fires"] else "") for hit in hits[:SHOWN]]
        for hits in (retrieval["before"], retrieval["after"])
    )
    curve = [
        (f"{delta:+.0f}" if delta else "0", f"{shift:.3f}", f"{rank:.0f}", f"{random:.0f}")
        for delta, shift, rank, random in zip(
            dose["deltas"], dose["shift"], dose["mean_rank"], dose["rank_random"][1], strict=True
        )
        if delta % 4 == 0
    ]
    random, low, high = found["random_shift"][1], found["random_shift"][0], found["random_shift"][2]
    return f"""## What does a feature do to retrieval?
{command}
[{_link("steering", "Steer", steer_text=TEXT, recipe=f"{MEDICATIONS}:+4")}]

{_name(target)} pushed by four mean activations: {target["before"]:.2f} becomes {target["after"]:.2f}. The vector moves by a cosine of {found["cosine_shift"]:.3f}; random directions of the same length move it by {random:.3f} ({low:.3f} to {high:.3f}). {found["side_effects"]} other features change by {found["least"]:.3f} or more, a tenth of the target's own change, where random directions change {found["random_side_effects"][1]:.0f} ({found["random_side_effects"][0]:.0f} to {found["random_side_effects"][2]:.0f}). {retrieval["kept"]} of the first {len(before)} texts stay; the {retrieval["firing"]} texts on which the feature fires rise from a mean rank of {rank["before"]:.0f} to {rank["after"]:.0f}, of {retrieval["ranked"]}.

Before:

{_table(("rank", "becomes", "text", "fires"), old)}

After:

{_table(("rank", "was", "text", "fires"), rows)}

Dose and response: mean rank of those texts, beside random directions (median):

{_table(("delta", "cosine shift", "mean rank", "random"), curve)}

How well the ranks that a text rises tell those on which it fires from the others, as AUROC: {dose["rise"][0]:.2f} ({dose["rise"][1]:.2f} to {dose["rise"][2]:.2f}). It {dose["verdict"]}. Does it stand for its label? **{dose["label_verdict"].capitalize()}**. {dose["label_rule"]}

{refused}
{_name(named)} {no["verdict"]}, too ({no["rise"][0]:.2f}; {no["rise"][1]:.2f} to {no["rise"][2]:.2f}), but its label's score is {no["label_score"]:.2f}: **{no["label_verdict"]}**. These two were picked. The second link seldom fails, since texts fire because they point that way; what it adds is how far the ranks move.
"""  # noqa: E501


def diagnostics() -> str:
    """Absorption and polysemy."""
    command, found = _run("diagnose", "--corpus", SAMPLE)
    absorption, polysemy = found["absorption"], found["polysemy"]
    pairs = [
        (_name(p["absorber"]), _name(p["absorbed"]),
         f"{_share(p['conditional'])} ({_share(p['low'])} to {_share(p['high'])})", f"{p['expected']:.2f}",
         f"{p['both']} of {p['count_absorber']}")
        for p in absorption["pairs"][:SHOWN]
    ]  # fmt: skip
    senses = [
        (_name(f), str(f["senses"]), f"{f['variance']:.2f}", str(f["examples"]))
        for f in polysemy["features"]
        if f["senses"] > 1
    ]
    return f"""## Do features stand in for each other, or for several things?
{command}
[{_link("diagnostics", "Absorption")}]

{absorption["flagged"]} pairs in which one feature never, or hardly ever, fires without the other; {absorption["chance_could"]:,} more reach the threshold by no more than chance would. The first:

{_table(("absorber", "absorbed", "P(absorbed given absorber)", "expected", "texts"), pairs)}

[{_link("diagnostics", "Polysemy")}]

{polysemy["measured"]:,} features fire on {polysemy["fewest"]} texts or more; the strongest texts of {polysemy["several_senses"]} of them fall into several groups ({_share(polysemy["random_several"])} of random sets of texts do so too):

{_table(("feature", "groups", "variance of its texts", "texts"), senses)}

The mean variance of random texts is {polysemy["random_mean"]:.2f}: a corpus of 402 texts on three topics has few texts close to each other, and variance alone condemns no feature.
"""  # noqa: E501


def faithfulness() -> str:
    """What retrieval loses without each feature."""
    command, found = _run("faithfulness", "--queries", SAMPLE)
    one, curves, labels = found["faithfulness"], found["curves"], found["faithfulness"]["labels"]
    counts = {verdict: one["verdict"].count(verdict) for verdict in sorted(set(one["verdict"]))}
    rows = [
        (f"#{one['features'][i]} “{labels[i]}”", str(one["fires"][i]), f"{one['drop'][i]:+.4f}",
         f"{one['low'][i]:+.4f} to {one['high'][i]:+.4f}", f"{one['q_value'][i]:.2f}",
         f"{one['hurt'][i]} / {one['helped'][i]}", one["verdict"][i])
        for i in range(SHOWN)
    ]  # fmt: skip
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items(), key=lambda one: -one[1]))
    return f"""## Which features does retrieval stand on?
{command}
[{_link("diagnostics", "Faithfulness")}]

NDCG@{one["k"]} over {len(one["ndcg"])} queries and {one["documents"]} documents: {one["whole"]:.3f} ({one["whole_low"]:.3f} to {one["whole_high"]:.3f}); with the dictionary's reconstruction of the queries instead of themselves {one["reconstructed"]:.3f}. {len(one["features"]):,} features fire in a query: {told}. {one["tested"]} change enough queries to be tested.

{_table(("feature", "queries", "drop", "95 %", "q", "hurt / helped", "verdict"), rows)}

No single feature can be shown to be needed here. {len(one["ndcg"])} queries are few; and many features stand in for each other. Together they are needed: the {curves["few"]} features of the largest total activation, a tenth of those that fire, win back {_share(curves["won_by_activation"])} of what all of them win; ordered by their drop, {_share(curves["won_back"])}; at random, {_share(curves["won_at_random"])}.
"""  # noqa: E501


def matching() -> str:
    """Two encoders, feature by feature."""
    command, found = _run("match", "--other", "packaged-static", "--other-encoder", PACKAGED_STATIC, "--corpus", SAMPLE)
    compared = found["comparison"]
    ours, theirs = compared["ours"], compared["theirs"]
    rows = [
        (f"#{p['feature']} “{p['label']}”", f"#{p['match']} “{p['match_label']}”", f"{p['correlation']:.2f}",
         f"{p['cosine']:.2f}", str(p["texts"]))
        for p in ours["pairs"][:SHOWN]
    ]  # fmt: skip
    only = [
        (f"#{p['feature']} “{p['label']}”", f"{p['own_vectors']:.2f}", f"{p['other_vectors']:.2f}", str(p["texts"]))
        for p in [p for p in ours["only"] if not p["known"]][:SHOWN]
    ]
    sides = ("ours", "theirs")
    labels = [("all", *(_interval(side["known"]) for side in (ours, theirs)))]
    labels += [(one["label"], *(_interval(one[side]) for side in sides)) for one in compared["labels"]]
    return f"""## Do two encoders know the same concepts?
{command}
[{_link("sae_features", "Match")}]

The packaged encoder (384 dimensions) and the static one distilled from it (128), each with its own dictionary. {ours["matched"]} features pair one to one by the correlation of their activations: {_share(ours["coverage"])} of the {ours["judged"]:,} of this model that fire on {compared["fewest"]} texts or more ({_share(ours["chance"])} by chance), {_share(theirs["coverage"])} of the other's {theirs["judged"]}. A feature without a counterpart may be known all the same, where the other model's vectors tell it. Verdict: **{compared["verdict"]}**. {compared["rule"]}

{_table(("activation in features that the other knows", "of this model", "of the other"), labels)}

The heaviest pairs:

{_table(("this model", "the other", "correlation", "cosine after a linear map", "texts"), rows)}

What this model knows and the other does not, the heaviest first, with how well its own vectors and the other's tell each (correlation on texts held out):

{_table(("feature", "own vectors", "the other's", "texts"), only)}

402 texts prove little: read the shares as lower bounds, and the names as leads.
"""  # noqa: E501


def _run(*arguments: str) -> tuple[str, dict[str, Any]]:
    """A command as it is typed, in a block, and what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            status = command_line(["sae", *arguments, "--json", str(out)])
        if status:
            sys.exit(told.getvalue())
        print(shlex.join(arguments), file=sys.stderr)
        return f"    python -m lib sae {shlex.join(arguments)}\n", json.loads(out.read_text(encoding="utf-8"))


def _link(page: str, view: str | None, **query: str) -> str:
    """Which page shows it."""
    from urllib.parse import urlencode

    address = urlencode({**({"view": view} if view else {}), **query})
    return f"`/{page}{'?' + address if address else ''}`"


def _name(feature: dict[str, Any]) -> str:
    return f"#{feature['feature']} “{feature['label']}”"


def _interval(share: dict[str, float]) -> str:
    return f"{_share(share['share'])} ({_share(share['low'])} to {_share(share['high'])})"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.0995 or not value else f"{100 * value:.1f} %"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    main()
