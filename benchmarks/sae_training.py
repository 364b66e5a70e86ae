"""Steps of TopK training side by side: ours, SAELens', latentsae's, and a plain dense PyTorch step, in one process.

    python -m benchmarks.sae_training [--vectors FILE.npy] [--steps 120] [--features 4096] [--k 64] [--rate 0.003]

All see the same batches, with the same dictionary size, k, batch, learning rate, warm-up and decay, and start at the
mean of the data. They take turns, a few steps at a time, so that what else the machine does falls on all alike;
samples a second are medians over turns, and ratios medians of the ratios within a turn. FVU is each one's own, on the
same held-out vectors, after the same steps. Without a file, vectors are made up: sums of a few of many directions.

SAELens and latentsae are measured where they are installed (they need not be otherwise): SAELens by `SAETrainer.step`,
which `fit` calls; latentsae by the statements of `SaeTrainer.fit` that make up a step, without its logging.
The arithmetic limit is the one dense product of a step, (x - b_dec) W_enc, at the speed that this machine multiplies
matrices of that size, in the precision that training uses.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lib.sae.training import TrainingSettings
from lib.sae.training.evaluation import held
from lib.sae.training.optimiser import learning_rate
from lib.sae.training.rows import mean_and_scale
from lib.sae.training.state import State
from lib.sae.training.weights import Coordinates, export

TURN = 4


@dataclass
class Side:
    """One contender."""

    name: str
    step: Callable[[np.ndarray], None]
    fvu: Callable[[np.ndarray], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, help="embeddings (m, d), .npy")
    parser.add_argument("--features", type=int, default=4_096)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--batch", type=int, default=2_048)
    parser.add_argument("--steps", type=int, default=120, help="of each (default 120)")
    parser.add_argument("--rate", type=float, default=3e-3, help="Adam's learning rate at its height (default 0.003)")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"), help="ours")
    options = parser.parse_args()
    training, outside = data(options.vectors)
    settings = TrainingSettings(
        features=options.features, k=options.k, rule="topk", steps=options.steps, batch_size=options.batch,
        learning_rate=options.rate, precision=options.precision,
    )  # fmt: skip
    settings = settings.settled(dimensions=training.shape[1], texts=len(training), batches=len(training))
    sides = [ours(training, settings)]
    for make in (saelens, latentsae, dense):
        try:
            sides.append(make(training, settings))
        except ImportError as missing:
            print(f"{make.__name__} is left out: {missing}")
    seconds = turns(sides, training, settings)
    report(sides, seconds, outside, settings)


def data(path: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out vectors, float32."""
    if path:
        vectors = np.load(path, mmap_mode="r")
        chosen = np.random.default_rng(0).permutation(len(vectors))[:60_000]
        found = np.asarray(vectors[np.sort(chosen)], dtype=np.float32)[
            np.random.default_rng(1).permutation(len(chosen))
        ]
    else:
        found = made_up(40_000, 384)
    return found[4_096:], found[:4_096]


def made_up(m: int, d: int) -> np.ndarray:
    """Unit vectors, each the sum of 40 of 3,000 directions, some of which are far more common than others."""
    generator = np.random.default_rng(0)
    directions = generator.standard_normal((3_000, d), dtype=np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    common = np.arange(1, 3_001) ** -0.7
    chosen = generator.choice(3_000, size=(m, 40), p=common / common.sum())
    weights = generator.gamma(2.0, size=(m, 40)).astype(np.float32)
    found = np.zeros((m, d), dtype=np.float32)
    for column in range(40):
        found += weights[:, column, None] * directions[chosen[:, column]]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def ours(training: np.ndarray, settings: TrainingSettings) -> Side:
    """`lib.sae.training`, a step as `train` takes it."""
    coordinates = Coordinates(*mean_and_scale(training, np.arange(len(training))))
    examples = coordinates.of(training[: settings.features])
    state = State(settings, training.shape[1], examples)

    def step(batch: np.ndarray) -> None:
        with torch.no_grad():
            state.learn(coordinates.of(batch))

    def fvu(outside: np.ndarray) -> float:
        from lib.sae import About

        return held(export(state.weights, coordinates, settings, state.edge, About()), outside).fvu

    return Side(f"ours ({'bfloat16' if state.half else 'float32'})", step, fvu)


def saelens(training: np.ndarray, settings: TrainingSettings) -> Side:
    """SAELens' TopK trainer."""
    from sae_lens.config import SAETrainerConfig
    from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.training.sae_trainer import SAETrainer

    steps = settings.steps or 0
    sae = TopKTrainingSAE(
        TopKTrainingSAEConfig(d_in=training.shape[1], d_sae=settings.features, k=settings.k, device="cpu")
    )
    sae.b_dec.data = torch.from_numpy(training.mean(axis=0))
    config = SAETrainerConfig(
        total_training_samples=steps * settings.batch_size,
        train_batch_size_samples=settings.batch_size,
        lr=settings.learning_rate or 0.0,
        lr_end=0.0,
        lr_warm_up_steps=int(settings.warmup * steps),
        lr_decay_steps=int(settings.decay * steps),
    )
    trainer = SAETrainer(config, sae, iter(()))

    def step(batch: np.ndarray) -> None:
        trainer.step(torch.from_numpy(batch))
        trainer.n_training_steps += 1

    return Side("SAELens", step, fvu_of(lambda block: sae.decode(sae.encode(block))))


def latentsae(training: np.ndarray, settings: TrainingSettings) -> Side:
    """The trainer of latentsae, step by step."""
    from latentsae.sae import Sae
    from latentsae.utils.config import SaeConfig

    n, k = settings.features, settings.k
    sae = Sae(training.shape[1], SaeConfig(num_latents=n, k=k), "cpu")
    sae.b_dec.data = torch.from_numpy(training.mean(axis=0))
    adam = torch.optim.Adam(sae.parameters(), lr=settings.learning_rate or 0.0)
    idle, fired = torch.zeros(n, dtype=torch.long), torch.zeros(n, dtype=torch.bool)
    done = 0

    def step(batch: np.ndarray) -> None:
        nonlocal done
        set_rate(adam, settings, done)
        sae.set_decoder_norm_to_unit_norm()
        out = sae(torch.from_numpy(batch), dead_mask=idle > (settings.dead_after or 0))
        (out.fvu + settings.aux_coefficient * out.auxk_loss).backward()
        fired[out.latent_indices.flatten()] = True
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        sae.remove_gradient_parallel_to_decoder_directions()
        adam.step()
        adam.zero_grad()
        idle.add_(len(batch))
        idle[fired] = 0
        fired.zero_()
        done += 1

    return Side("latentsae", step, fvu_of(lambda block: sae(block).sae_out))


def dense(training: np.ndarray, settings: TrainingSettings) -> Side:
    """What one writes down first: top-k, scatter, autograd, Adam."""
    n, d, k = settings.features, training.shape[1], settings.k
    torch.manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(n, d), dim=1)
    encoder, bias = directions.T.clone().requires_grad_(), torch.zeros(n, requires_grad=True)
    decoder = directions.clone().requires_grad_()
    centre = torch.from_numpy(training.mean(axis=0)).requires_grad_()
    adam = torch.optim.Adam([encoder, bias, decoder, centre], lr=settings.learning_rate or 0.0)
    variance = float(training.var(axis=0).sum())
    done = 0

    def forward(block: torch.Tensor) -> torch.Tensor:
        top = torch.relu((block - centre) @ encoder + bias).topk(k, dim=1)
        return torch.zeros(len(block), n).scatter(1, top.indices, top.values) @ decoder + centre

    def step(batch: np.ndarray) -> None:
        nonlocal done
        set_rate(adam, settings, done)
        block = torch.from_numpy(batch)
        loss = (forward(block) - block).square().sum(dim=1).mean() / variance
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            decoder.div_(decoder.norm(dim=1, keepdim=True))
        done += 1

    return Side("plain PyTorch, dense", step, fvu_of(forward))


def set_rate(adam: torch.optim.Optimizer, settings: TrainingSettings, done: int) -> None:
    for group in adam.param_groups:
        group["lr"] = learning_rate(settings, done)


def fvu_of(forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], float]:
    def fvu(outside: np.ndarray) -> float:
        with torch.no_grad():
            made = np.concatenate([forward(torch.from_numpy(block)).numpy() for block in np.array_split(outside, 4)])
        return float(np.square(made - outside).sum() / np.square(outside - outside.mean(axis=0)).sum())

    return fvu


def turns(sides: list[Side], training: np.ndarray, settings: TrainingSettings) -> np.ndarray:
    """Seconds a step of each side in each turn, (turns, sides)."""
    generator, taken = np.random.default_rng(0), []
    size = settings.batch_size
    for _ in range(max(1, (settings.steps or 0) // TURN)):
        batches = [training[generator.integers(0, len(training), size)] for _ in range(TURN)]
        row = []
        for side in sides:
            started = time.perf_counter()
            for batch in batches:
                side.step(batch)
            row.append((time.perf_counter() - started) / TURN)
        taken.append(row)
    return np.array(taken[1:] or taken)


def report(sides: list[Side], seconds: np.ndarray, outside: np.ndarray, settings: TrainingSettings) -> None:
    d, size = outside.shape[1], settings.batch_size
    print(
        f"\n{settings.features:,} features, k {settings.k}, {d} dimensions, batch {size:,}, {settings.steps} steps at "
        f"{settings.learning_rate}, {torch.get_num_threads()} threads\n"
    )
    print("| side | samples/s | ours is faster by | held-out FVU |\n|---|---|---|---|")
    for column, side in enumerate(sides):
        ratio = np.median(seconds[:, column] / seconds[:, 0])
        print(f"| {side.name} | {size / np.median(seconds[:, column]):,.0f} | {ratio:.2f} | {side.fvu(outside):.4f} |")
    step, product = np.median(seconds[:, 0]), 2 * size * d * settings.features
    for dtype in (torch.bfloat16, torch.float32):
        limit = product_seconds(size, d, settings.features, dtype)
        print(f"\nOne dense product in {dtype}: {limit * 1e3:.1f} ms, {product / limit / 1e9:,.0f} GFLOP/s; at that")
        print(f"limit {size / limit:,.0f} samples/s; it is {limit / step:.0%} of our step.")


def product_seconds(b: int, d: int, n: int, dtype: torch.dtype) -> float:
    left, right = torch.randn(b, d).to(dtype), torch.randn(n, d).to(dtype)
    made, best = torch.empty(b, n, dtype=dtype), np.inf
    for _ in range(10):
        started = time.perf_counter()
        torch.mm(left, right.T, out=made)
        best = min(best, time.perf_counter() - started)
    return best


if __name__ == "__main__":
    main()
