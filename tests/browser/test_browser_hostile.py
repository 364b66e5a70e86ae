"""Hostile strings in a real Chromium: no element is made of them, no script of theirs runs, nobody is asked."""

import contextlib
from urllib.parse import urlencode

import numpy as np
import pytest

pytestmark = pytest.mark.browser

EVIL = '"><img src=x onerror="window.__hit=1"><script>window.__hit=1</script>[a](javascript:window.__hit=1)$x$:red[r]'
PAGES = {
    "overview": "Overview", "layers": "Layers", "retrieval": "Retrieval", "finetune_diff": "Fine-tune Diff",
    "sae_features": "SAE Features", "network": "Network", "circuits": "Circuits", "steering": "Steering",
    "diagnostics": "Diagnostics", "glossary": "Glossary",
}  # fmt: skip
# Elements that a hostile string would make, in the page and in the roots of components.
MADE = """() => {
    const found = [];
    const walk = (root) => {
        for (const node of root.querySelectorAll('*')) {
            const told = [...node.attributes].map((one) => `${one.name}=${one.value}`);
            if (told.some((one) => /^on/.test(one) || /=\\s*javascript:/i.test(one) || one === 'src=x'))
                found.push(node.outerHTML.slice(0, 200));
            if (node.localName === 'script' && node.textContent.includes('__hit')) found.push('script');
            if (node.classList.contains('katex')) found.push('formula');
            if (node.shadowRoot) walk(node.shadowRoot);
        }
    };
    walk(document);
    return {found, hit: window.__hit ?? null, title: document.title.includes('img')};
}"""
WORDS = ("one", "two", "three", "four")
NOTHING = {"found": [], "hit": None, "title": False}


def csv():
    """Texts, labels and names of columns that are markup; quotes doubled."""
    doubled = EVIL.replace('"', '""')
    rows = "".join(f'"{doubled} {word}","{doubled} {n % 2}"\n' for n, word in enumerate(WORDS))
    return f'"text {doubled}","label {doubled}"\n{rows}{rows.replace("one", "five").replace("two", "six")}'


def rest(seen):
    """Wait until the app stands still, also where an encoder has to be opened on a busy machine."""
    for _ in range(3):
        with contextlib.suppress(AssertionError):
            return seen.settle()
    return seen.settle()


def test_texts_labels_and_names_of_a_file_are_only_shown_on_every_page(server, visit):
    seen = visit(f"{server}/geometry?{urlencode({'corpus': 'Upload', 'map': 'PCA', 'clusters': 'k-means'})}")
    chooser = seen.page.locator('[data-testid="stSidebar"] input[type="file"]').first
    chooser.set_input_files({"name": f"{EVIL}.csv".replace("/", ""), "mimeType": "text/csv", "buffer": csv().encode()})
    seen.page.get_by_text("8 texts").first.wait_for()
    rest(seen)
    seen.chart("map_2d")
    assert seen.page.evaluate(MADE) == NOTHING
    for name in PAGES:
        seen.page.locator('[data-testid="stSidebarNav"]').get_by_role(
            "link", name=PAGES[name], exact=False
        ).first.click()
        rest(seen)
        made = seen.page.evaluate(MADE)
        if name == "glossary":  # its own formulas
            made["found"] = [one for one in made["found"] if one != "formula"]
        assert made == NOTHING, name
    seen.sound()


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("retrieval", {"view": "Search", "query_sample": "lab", "q": EVIL, "label": EVIL}),
        ("sae_features", {"view": "Decompose", "feature": EVIL, "sae": EVIL}),
        ("overview", {"beside": EVIL, "share": EVIL, "corpus": "Shared"}),
    ],
)
def test_an_address_is_only_shown(server, visit, page, query):
    seen = visit(f"{server}/{page}?{urlencode(query)}")
    assert seen.page.evaluate(MADE) == NOTHING
    seen.sound()


def test_the_file_of_a_network_runs_no_name(chromium, tmp_path):
    from lib.charts.network_html import standalone_html
    from lib.sae.network import network
    from tests.toy_sae import codes_of

    generator = np.random.default_rng(0)
    found = network(codes_of((generator.random((80, 12)) < 0.4) * generator.uniform(0.2, 1, (80, 12))), threshold=0.05)
    file = tmp_path / "network.html"
    file.write_text(standalone_html(found, [EVIL] * len(found)), encoding="utf-8")
    context = chromium.new_context(offline=True)
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    tab.locator("#mynetwork canvas").wait_for()
    made = tab.evaluate(MADE)
    assert (made["hit"], made["title"]) == (None, False)
    assert not [one for one in made["found"] if "__hit" in one and one != "script"]
    assert tab.locator('img[src="x"]').count() == 0
    assert asked == [file.as_uri()]
    context.close()
