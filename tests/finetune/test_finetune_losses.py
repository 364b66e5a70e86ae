import numpy as np
import pytest

from lib.errors import InputError
from lib.finetune.data import to_dataset
from lib.finetune.losses import build_loss
from lib.finetune.training.settings import TrainingSettings
from tests.toy_tuning import tiny_model, toy_examples

LOSSES = ("infonce", "cached infonce", "nt-xent", "triplet", "cosine")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny")).eval()


def settings_of(loss, **others):
    return TrainingSettings(encoder="tiny", loss=loss, mini_batch=5, **others)


def batch_of(model, dataset):
    """Features of each column of texts, and the labels."""
    import torch

    labels = torch.tensor(dataset["score"]) if "score" in dataset.column_names else None
    return [model.preprocess(list(dataset[name])) for name in dataset.column_names if name != "score"], labels


def value_of(model, examples, settings):
    import torch

    features, labels = batch_of(model, to_dataset(examples, settings))
    with torch.no_grad():
        return float(build_loss(model, settings)(features, labels))


def cosines(a, b):
    return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T


def share_of_own(logits, own):
    """Mean of -log softmax at the column `own` of each row; -inf is out of the running."""
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), own]))


def infonce(a, p, n, t):
    documents = np.concatenate([p, *n])
    return share_of_own(cosines(a, documents) / t, np.arange(len(a)))


def nt_xent(a, p, n, t):
    """As SimCLR has it: 2 b texts, each against the 2 b - 1 others; given negatives for the anchors alone."""
    texts = np.concatenate([a, p])
    b = len(a)
    logits = cosines(texts, np.concatenate([texts, *n])) / t
    np.fill_diagonal(logits, -np.inf)
    logits[b:, 2 * b :] = -np.inf
    return share_of_own(logits, np.concatenate([np.arange(b) + b, np.arange(b)]))


def triplet(a, p, n, margin):
    def far(x, y):
        return 1 - np.diag(cosines(x, y))

    return float(np.mean([np.maximum(0, far(a, p) - far(a, one) + margin) for one in n]))


def cosine(a, p, n, scores):
    errors = [np.diag(cosines(a, p)) - scores, *(np.diag(cosines(a, one)) for one in n)]
    return float(np.mean(np.square(errors)))


def closed_form(loss, vectors):
    a, p, n = vectors
    return {
        "infonce": lambda: infonce(a, p, n, 0.1),
        "cached infonce": lambda: infonce(a, p, n, 0.1),
        "nt-xent": lambda: nt_xent(a, p, n, 0.1),
        "triplet": lambda: triplet(a, p, n, 0.3),
        "cosine": lambda: cosine(a, p, n, 1.0),
    }[loss]()


def embedded(model, examples, width=None):
    def of(texts):
        return model.encode(list(texts)).astype(float)[:, :width]

    return (
        of(examples.anchors),
        of(examples.positives),
        [of(column) for column in zip(*examples.negatives, strict=True)],
    )


@pytest.mark.parametrize("negatives", [0, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_its_closed_form(model, loss, negatives):
    examples = toy_examples(negatives=negatives or (loss in ("triplet", "cosine")))
    settings = settings_of(loss, temperature=0.1, margin=0.3)
    assert value_of(model, examples, settings) == pytest.approx(closed_form(loss, embedded(model, examples)), rel=1e-5)


def test_a_score_stands_in_for_one(model):
    scores = np.linspace(-1, 1, 12)
    examples = toy_examples()
    scored = type(examples)("toy", examples.anchors, examples.positives, examples.negatives, examples.groups, scores)
    a, p, _ = embedded(model, examples)
    assert value_of(model, scored, settings_of("cosine")) == pytest.approx(cosine(a, p, [], scores), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_matryoshka_is_the_sum_over_the_cuts(model, loss):
    examples = toy_examples(negatives=1)
    settings = settings_of(loss, temperature=0.1, margin=0.3, matryoshka=(16, 8, 4))
    cuts = [closed_form(loss, embedded(model, examples, width)) for width in (16, 8, 4)]
    assert value_of(model, examples, settings) == pytest.approx(sum(cuts), rel=1e-5)


def test_matryoshka_cannot_cut_to_more_than_there_is(model):
    with pytest.raises(InputError, match="cuts vectors to 32 dimensions, but this encoder's have 16"):
        build_loss(model, settings_of("infonce", matryoshka=(32, 8)))


def test_the_cached_gradients_are_the_plain_ones(model):
    """Both multiply what they add up in another order, hence the tolerance."""
    examples, made = toy_examples(negatives=1), []
    for loss in ("infonce", "cached infonce"):
        model.zero_grad()
        features, labels = batch_of(model, to_dataset(examples, settings_of(loss)))
        build_loss(model, settings_of(loss))(features, labels).backward()
        made.append([p.grad.numpy().copy() for p in model.parameters() if p.grad is not None])
    model.zero_grad()
    plain, cached = made
    assert len(plain) == len(cached) > 0
    for one, other in zip(plain, cached, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("matryoshka", [(), (16, 4)])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_falls(tmp_path, loss, matryoshka):
    import torch

    learner = tiny_model(tmp_path).train()
    settings = settings_of(loss, matryoshka=matryoshka)
    features, labels = batch_of(learner, to_dataset(toy_examples(negatives=1), settings))
    module = build_loss(learner, settings)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=2e-3)
    seen = []
    for _ in range(12):
        optimiser.zero_grad()
        value = module([dict(one) for one in features], labels)
        value.backward()
        optimiser.step()
        seen.append(value.item())
    assert seen[-1] < 0.7 * seen[0]


def test_columns_are_those_that_the_loss_wants():
    two = toy_examples(3, negatives=2)
    assert to_dataset(two, settings_of("infonce")).column_names == ["anchor", "positive", "negative_1", "negative_2"]
    triplets = to_dataset(two, settings_of("triplet"))
    assert triplets.column_names == ["anchor", "positive", "negative"]
    assert list(triplets["negative"]) == [text for row in two.negatives for text in row]
    pairs = to_dataset(two, settings_of("cosine"))
    assert pairs.column_names == ["anchor", "document", "score"]
    assert list(pairs["score"]) == [1, 0, 0] * 3


def test_data_that_a_loss_cannot_learn_from_is_refused():
    with pytest.raises(InputError, match="triplet loss needs a negative for each pair"):
        to_dataset(toy_examples(), settings_of("triplet"))
    with pytest.raises(InputError, match="draws all texts to one point"):
        to_dataset(toy_examples(), settings_of("cosine"))
