"""Texts whose topics are known, and an encoder with a dimension for each topic."""

import numpy as np

TOPICS = {
    "medicine": ("patient", "diagnosis", "chest pain", "surgeon", "clinical trial"),
    "law": ("court", "contract", "plaintiff", "breach of contract", "statute"),
    "finance": ("bond", "interest rate", "equity", "credit risk", "dividend"),
    "cooking": ("butter", "oven", "sourdough bread", "simmer", "recipe"),
    "sailing": ("mast", "harbour", "trade wind", "keel", "anchor"),
    "music": ("violin", "string quartet", "melody", "concerto", "tempo"),
}
NAMES = tuple(TOPICS)
_FILLER = ("yesterday", "again", "people", "large", "nothing", "morning", "seldom", "report", "heard", "known")


def topic_texts(each=40, *, seed=0):
    """`each` texts of every topic, and the topic of each."""
    generator = np.random.default_rng(seed)
    texts, topics = [], []
    for number in range(each):
        for name, phrases in TOPICS.items():
            about = generator.choice(phrases, 2, replace=False)
            filler = generator.choice(_FILLER, 4, replace=False)
            texts.append(f"{filler[0]} the {about[0]}, {filler[1]} and {about[1]} {filler[2]} {filler[3]} {number}.")
            topics.append(name)
    return texts, topics


def embed(texts):
    """How many phrases of each topic a text holds, shape (m, 6), and a little of its length: no two texts tie."""
    found = np.zeros((len(texts), len(NAMES)), dtype=np.float32)
    for row, text in enumerate(texts):
        for column, name in enumerate(NAMES):
            words = {word for phrase in TOPICS[name] for word in phrase.split()} - {"of"}
            found[row, column] = sum(word in text.lower().split() or f"{word}," in text for word in words)
    return found + 1e-3
