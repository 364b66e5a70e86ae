"""The Monitor in a real trainer: what it writes is what the trainer and the embeddings say, and nothing changes."""

import copy
import warnings

import numpy as np
import pytest

from lib.errors import InputError
from lib.finetune.monitor import Monitor, describe_model, read_log
from lib.finetune.monitor.clipping import clip_factor
from lib.finetune.monitor.gradients import layer_names, layer_of, side_of
from lib.runs import events
from tests.toy_tuning import tiny_model, toy_examples

B = 12


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A tiny encoder without dropout, so that its embeddings are known."""
    return tiny_model(tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="module")
def lively(tmp_path_factory):
    """One with dropout."""
    return tiny_model(tmp_path_factory.mktemp("lively"), dropout=0.2)


def dataset(columns=2, scores=False):
    from datasets import Dataset

    examples = toy_examples(B, negatives=max(0, columns - 2))
    names = ["anchor", "positive", *(f"negative_{n}" for n in range(1, columns - 1))]
    made = dict(zip(names, [examples.anchors, examples.positives, *zip(*examples.negatives, strict=True)], strict=True))
    return Dataset.from_dict(made | ({"score": [float(row % 3 == 0) for row in range(B)]} if scores else {}))


def train(model, make_loss, folder, *, data=None, monitor=True, every=1, evaluator=None, **options):
    """Train a copy of `model`; the trainer, the log, and the forwards that its encoder did."""
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    model = copy.deepcopy(model)
    forwards = []
    model.register_forward_hook(lambda *_: forwards.append(1))
    hooks = len(model._forward_hooks)
    settings = {"max_steps": 3, "logging_steps": 1, "per_device_train_batch_size": B, "save_strategy": "no"} | options
    args = SentenceTransformerTrainingArguments(
        output_dir=str(folder), report_to="none", disable_tqdm=True, use_cpu=True, learning_rate=1e-2, **settings
    )
    path = folder / "events.jsonl"
    trainer = SentenceTransformerTrainer(
        model=model, args=args, train_dataset=data or dataset(), loss=make_loss(model), evaluator=evaluator,
        callbacks=[Monitor(path, every=every)] if monitor else [],
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.train()
    assert len(model._forward_hooks) == hooks  # it lets go of the model
    return trainer, read_log(events(path)[0] if path.is_file() else []), len(forwards)


def mnrl(model):
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model)


def cached(model):
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    return CachedMultipleNegativesRankingLoss(model, mini_batch_size=5)


def matryoshka(make):
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    return lambda model: MatryoshkaLoss(model, make(model), [4, 16, 8])


def triplet(model):
    from sentence_transformers.sentence_transformer.losses import TripletLoss

    return TripletLoss(model)


def cosine(model):
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    return CosineSimilarityLoss(model)


def classes(model):
    from sentence_transformers.sentence_transformer.losses import BatchAllTripletLoss

    return BatchAllTripletLoss(model)


def unit(model, texts):
    found = model.encode(list(texts), convert_to_numpy=True)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def expected(model, data, kind):
    """Positive, negative, hardest, from the texts one by one."""
    names = [name for name in data.column_names if name != "score"]
    a, *rest = (unit(model, data[name]) for name in names)
    if kind == "in batch":
        s = a @ np.concatenate(rest).T
        own = np.arange(B)
        away = s.copy()
        away[own, own] = np.nan
        return s[own, own].mean(), np.nanmean(away), np.nanmax(away, axis=1).mean()
    if kind == "given":
        s = np.array([(a * n).sum(1) for n in rest[1:]])
        return (a * rest[0]).sum(1).mean(), s.mean(), s.max(0).mean()
    s, label = (a * rest[0]).sum(1), np.array(data["score"])
    return s[label > 0.5].mean(), s[label < 0.5].mean(), np.nan


@pytest.mark.parametrize(
    ("make", "data", "kind", "options"),
    [
        (mnrl, dataset(), "in batch", {}),
        (mnrl, dataset(4), "in batch", {}),
        (cached, dataset(3), "in batch", {}),
        (matryoshka(mnrl), dataset(3), "in batch", {}),
        (matryoshka(cached), dataset(), "in batch", {}),
        (triplet, dataset(3), "given", {"per_device_train_batch_size": B // 3, "gradient_accumulation_steps": 3}),
        (cosine, dataset(scores=True), "labelled pairs", {}),
        (mnrl, dataset(), "in batch", {"activation_checkpointing": True}),
    ],
)
def test_similarities_are_those_of_the_batch(make, data, kind, options, still, tmp_path):
    want = expected(still, data, kind)
    _, log, _ = train(still, make, tmp_path, data=data, max_steps=1, **options)
    assert log.pairs == kind
    np.testing.assert_allclose([log.positive[0], log.negative[0], log.hardest[0]], want, atol=2e-5)
    np.testing.assert_allclose(log.gap, log.positive - log.negative, atol=2e-6)


def test_texts_of_one_column_are_pairs_by_their_class(still, tmp_path):
    from datasets import Dataset

    texts, label = list(toy_examples(B).anchors), np.arange(B) % 3
    data = Dataset.from_dict({"sentence": texts, "label": label.tolist()})
    _, log, _ = train(still, classes, tmp_path, data=data, max_steps=1)
    s, same = (v := unit(still, texts)) @ v.T, label[:, None] == label
    away = np.where(same, -np.inf, s).max(1)
    want = [s[same & ~np.eye(B, dtype=bool)].mean(), s[~same].mean(), away.mean()]
    assert log.pairs == "classes"
    np.testing.assert_allclose([log.positive[0], log.negative[0], log.hardest[0]], want, atol=2e-5)


@pytest.mark.parametrize("options", [{}, {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 3}])
def test_loss_norm_and_rate_are_the_trainers_own_before_clipping(lively, tmp_path, options):
    trainer, log, _ = train(lively, mnrl, tmp_path, max_grad_norm=0.05, **options)
    told = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert log.step.tolist() == [1, 2, 3]
    np.testing.assert_allclose(log.loss, [entry["loss"] for entry in told], rtol=1e-5)
    np.testing.assert_allclose(log.grad_norm, [entry["grad_norm"] for entry in told], rtol=1e-4)
    np.testing.assert_allclose(log.learning_rate, [entry["learning_rate"] for entry in told], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.nansum(log.gradients_base**2, axis=1)), log.grad_norm, rtol=1e-4)
    assert (log.grad_norm > 0.05).all()
    assert not log.clipped.any()
    assert log.layers == ("embeddings", "layer 1", "layer 2", "after the layers")
    assert np.isnan(log.gradients_base[:, 3]).all()  # the pooler is there and unused
    assert (log.examples, log.batch, log.steps, log.reason, log.method, log.seconds_left) == (
        B,
        B,
        3,
        "finished",
        "full",
        0.0,
    )
    assert (log.monitor_seconds < log.seconds).all()
    assert np.allclose(log.samples_per_second, B / log.seconds, rtol=1e-3)


def test_norms_by_layer_are_those_of_its_parameters(still, tmp_path):
    from transformers import TrainerCallback

    seen = {}

    class Witness(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model, **_):
            for name, parameter in model.named_parameters():
                if parameter.grad is not None:
                    seen.setdefault(layer_of(name), []).append(float(parameter.grad.square().sum()))

    def make(model):
        make.model = model
        return mnrl(model)

    from sentence_transformers import SentenceTransformerTrainer

    plain = SentenceTransformerTrainer.__init__

    def with_witness(self, *args, **kwargs):
        kwargs["callbacks"] = [Witness(), *kwargs["callbacks"]]
        plain(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SentenceTransformerTrainer, "__init__", with_witness)
        _, free, _ = train(still, make, tmp_path / "free", max_steps=1, max_grad_norm=0.0)
    want = [np.sqrt(sum(seen[name])) for name in free.layers[:3]]
    np.testing.assert_allclose(free.gradients_base[0, :3], want, rtol=1e-5)
    _, cut, _ = train(still, mnrl, tmp_path / "cut", max_steps=1, max_grad_norm=1e-3)
    np.testing.assert_allclose(cut.gradients_base[0, :3], want, rtol=1e-4)


@pytest.mark.parametrize("make", [matryoshka(mnrl), cached])
def test_the_training_goes_as_it_would_without(make, lively, tmp_path):
    import torch

    with_it, log, forwards = train(lively, make, tmp_path / "with", logging_steps=100)
    without, _, bare = train(lively, make, tmp_path / "without", logging_steps=100, monitor=False)
    assert forwards == bare
    for (name, one), (_, other) in zip(with_it.model.named_parameters(), without.model.named_parameters(), strict=True):
        assert torch.equal(one, other), name
    assert np.isfinite(log.loss).all()  # a loss a step, though the trainer logs none
    assert torch.nn.modules.module._global_forward_pre_hooks == {}


def test_adapters_and_base_apart_and_a_frozen_layer(still, tmp_path):
    from peft import LoraConfig

    adapted = copy.deepcopy(still)
    adapted.add_adapter(LoraConfig(r=2, target_modules=["query", "value"]))
    _, log, _ = train(adapted, mnrl, tmp_path / "lora", max_steps=2)
    assert log.method == "lora"
    assert log.sides == ("adapter",)
    assert (log.gradients_adapter[:, 1:3] > 0).all()
    assert np.isnan(log.gradients_adapter[:, [0, 3]]).all()
    assert 0 < log.trainable < log.parameters
    frozen = copy.deepcopy(still)
    for name, parameter in frozen.named_parameters():
        parameter.requires_grad = ".layer.1." not in name
    _, log, _ = train(frozen, mnrl, tmp_path / "frozen", max_steps=2)
    assert (log.gradients_base[:, 2] == 0).all()
    assert (log.gradients_base[:, :2] > 0).all()


def test_evaluations_are_told_and_not_taken_for_training(still, tmp_path):
    from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

    class Evaluator(SentenceEvaluator):
        values = iter([0.5, 0.4, 0.6])
        primary_metric = "ndcg@10"

        def __call__(self, model, **_):
            model.encode(["ba1 ke2", "mi3"])
            return {"ndcg@10": next(self.values)}

    _, log, _ = train(
        still, mnrl, tmp_path, evaluator=Evaluator(), eval_strategy="steps", eval_steps=1, eval_on_start=True,
        max_steps=2,
    )  # fmt: skip
    assert log.evaluation_step.tolist() == [0, 1, 2]
    assert log.metrics["ndcg@10"].tolist() == [0.5, 0.4, 0.6]
    assert (log.metric, log.best) == ("ndcg@10", 2)
    assert log.has_pairs
    assert log.loss_name == "MultipleNegativesRankingLoss"


def test_every_other_step_and_a_file_that_cannot_be_written(still, tmp_path, caplog):
    _, log, _ = train(still, mnrl, tmp_path / "some", every=2, max_steps=5)
    assert log.step.tolist() == [1, 2, 4, 5]
    (tmp_path / "none" / "events.jsonl").mkdir(parents=True)
    trainer, log, _ = train(still, mnrl, tmp_path / "none", max_steps=2)
    assert trainer.state.global_step == 2
    assert len([r for r in caplog.records if "silent" in r.message]) == 1
    assert log.last == 0
    with pytest.raises(InputError, match="every n-th step"):
        Monitor("events.jsonl", every=0)


def test_a_loss_of_an_unknown_kind_is_told_without_pairs(still, tmp_path):
    import torch

    class Own(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, features, labels):
            return self.model(features[0])["sentence_embedding"].square().mean()

    _, log, _ = train(still, Own, tmp_path, max_steps=2)
    assert np.isfinite(log.loss).all()
    assert not log.has_pairs


def test_a_loss_that_is_no_number_is_named(still, tmp_path):
    broken = copy.deepcopy(still)
    next(p for n, p in broken.named_parameters() if n.endswith("embeddings.LayerNorm.bias")).data.fill_(float("nan"))
    _, log, _ = train(broken, mnrl, tmp_path, max_steps=1)
    assert (1, "loss") in log.not_finite


def test_names_of_many_architectures():
    parts = {
        "0.auto_model.encoder.layer.3.attention.self.query.lora_A.default.weight": ("layer 4", "adapter"),
        "0.model.layers.11.mlp.up_proj.weight": ("layer 12", "base"),
        "0.auto_model.transformer.layer.0.ffn.lin1.weight": ("layer 1", "base"),
        "0.auto_model.encoder.block.2.layer.0.SelfAttention.q.weight": ("layer 3", "base"),
        "0.auto_model.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight": ("layer 1", "base"),
        "0.auto_model.embeddings.word_embeddings.weight": ("embeddings", "base"),
        "0.embedding.weight": ("embeddings", "base"),
        "2.linear.weight": ("after the layers", "base"),
    }
    for name, (layer, side) in parts.items():
        assert (layer_of(name), side_of(name)) == (layer, side)
    assert layer_names(["a.layer.9.w", "a.layer.1.w", "x", "embeddings.w"]) == (
        "embeddings", "layer 2", "layer 10", "after the layers",
    )  # fmt: skip


def test_sizes_of_a_model(still):
    size = describe_model(still)
    assert size.layers == ("embeddings", "layer 1", "layer 2", "after the layers")
    assert size.parameters == size.trainable == sum(p.numel() for p in still.parameters())


def test_the_clip_factor_divides_the_loss_scale_out():
    assert clip_factor([64.0, 128.0], [0.5, 1.0], scale=16.0) == 8.0
    assert clip_factor([0.0, float("inf")], [0.0, 1.0], scale=1.0) is None
