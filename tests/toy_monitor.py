"""The log and the figures of a fine-tune that never was, as its command would have written them."""

import json
import math

LAYERS = ("embeddings", "layer 1", "layer 2", "after the layers")


def events(steps=40, *, planned=None, gap=lambda step: 0.2 + 0.005 * step, end="finished"):
    """A healthy run on queries held out, evaluated every ten steps."""
    begin = {
        "event": "begin",
        "schema": 1,
        "resumes": False,
        "encoder": "a toy",
        "data": "planted pairs",
        "steps": planned or steps,
        "examples": 320,
        "validation_queries": 30,
        "batch": 16,
        "loss": "infonce",
        "method": "lora",
        "layers": list(LAYERS),
        "parameters": 20_000,
        "trainable": 400,
        "pairs": "in batch",
    }
    made = [begin, {"event": "doing", "what": "mining hard negatives"}, _evaluation(0, 0.5)]
    for step in range(1, steps + 1):
        noise = 0.02 * math.sin(7.0 * step)
        negative = 0.3 - 0.002 * step
        made.append(
            {
                "event": "step",
                "step": step,
                "epoch": step / 20,
                "loss": 2.0 * math.exp(-step / 30) + noise,
                "learning_rate": 2e-4,
                "positive": negative + gap(step) + noise,
                "negative": negative,
                "hardest": negative + 0.1,
                "gap": gap(step) + noise,
                "grad_norm": 1.0 + noise,
                "gradients": {"adapter": [None, 0.5 + noise, 0.6 + noise, None], "base": [None] * 4},
                "seconds": 0.5,
                "monitor_seconds": 0.01,
                "samples_per_second": 32.0,
                "seconds_left": 0.5 * ((planned or steps) - step),
            }
        )
        if step % 10 == 0:
            made.append(_evaluation(step, 0.5 + 0.002 * step))
    return [*made, {"event": "end", "reason": end, "figures": {}}] if end else made


def _evaluation(step, value):
    metrics = {"ndcg@10": value, "recall@1": value - 0.1, "mrr@10": value - 0.05}
    return {"event": "evaluation", "step": step, "metrics": metrics, "best": True}


def lines(made):
    """Events as the file holds them."""
    return "".join(json.dumps(event) + "\n" for event in made).encode()


def figures(*, low=0.01, high=0.15, validation=True):
    """What came of it."""

    def test(name, before):
        return {
            "metric": name,
            "mean_a": before,
            "mean_b": before + 0.08,
            "difference": 0.08,
            "low": low,
            "high": high,
            "p_value": 0.01,
            "wins": 9,
            "ties": 20,
            "losses": 1,
            "queries": 30,
        }

    tests = [test("ndcg@10", 0.5), test("recall@1", 0.4), test("mrr@10", 0.45)]
    before, after = (
        [{"metric": test["metric"], "group": None, "mean": test[of], "low": low, "high": high} for test in tests]
        for of in ("mean_a", "mean_b")
    )
    compared = {
        "before": before,
        "after": after,
        "tests": tests,
        "adjusted": [0.03, 0.03, 0.03],
        "queries": 30,
        "documents": 300,
        "seed": 0,
    }
    return {
        "adapter": True,
        "reason": "finished",
        "steps": 40,
        "planned": 40,
        "best_step": 40,
        "validation": compared if validation else None,
        "examples": 320,
        "parameters": 20_000,
        "trainable": 400,
        "seconds": 23.4,
        "seconds_a_step": 0.5,
        "precision": "float32",
        "device": "cpu",
        "notices": ["Documents are shared."],
    }
