"""Describe: from what a user typed to a `Checkpoint`, by reading its files alone. No torch."""

import dataclasses
from pathlib import Path
from typing import Any

from lib.encoders.adapters import read_adapter, refuse_hidden_adapters, task_adapters
from lib.encoders.architecture import check_is_encoder, has_table, read_architecture, static_sizes, token_limit
from lib.encoders.checkpoint import Checkpoint
from lib.encoders.claims import check_claims, check_files, check_module_claims
from lib.encoders.families import Variant, family_of
from lib.encoders.files import read_object
from lib.encoders.fingerprint import content_hash
from lib.encoders.layout import ModuleEntry, check_modules, read_modules
from lib.encoders.policy import Policy
from lib.encoders.pooling import STATIC_POOLING, PoolingChoice, read_pooling
from lib.encoders.prompts import find_prompts
from lib.encoders.settings import find_licence, read_settings, read_transformer_settings
from lib.encoders.sources import Located, locate
from lib.encoders.weights import find_weights
from lib.errors import InputError


def describe(source: str, *, policy: Policy | None = None) -> Checkpoint:
    """Find an encoder and tell what it is, downloading it first where that is needed and allowed.

    Args:
        source: `PACKAGED`, a hub id (owner/name), or a folder below the policy's roots: a checkpoint of
            sentence-transformers or transformers, a LoRA adapter, a static encoder (sentence-transformers' or
            model2vec's).
        policy: what may be opened; that of the environment where None.

    Raises:
        InputError: not found, not reachable, not allowed, too large, damaged, or not an encoder.
    """
    policy = policy or Policy.from_environment()
    located = locate(source, policy)
    adapter = read_adapter(located.folder, name=located.source)
    if adapter is None:
        return _describe_folder(located, policy)
    base = describe_base(adapter.base, located, policy)
    return _over_base(base, located, adapter.parameters, adapter.size_bytes)


def describe_base(base: str, adapter: Located, policy: Policy) -> Checkpoint:
    """The checkpoint that an adapter says it was trained over, found under the same policy.

    Raises:
        InputError: it cannot be opened, or is an adapter or a static encoder itself.
    """
    try:
        located = locate(base, policy)
    except InputError as failure:
        raise InputError(f"The base of the adapter {adapter.source} cannot be opened: {failure}") from None
    if read_adapter(located.folder, name=located.source) is not None:
        raise InputError(f"The base of the adapter {adapter.source}, {base!r}, is an adapter itself; merge it first.")
    checkpoint = _describe_folder(located, policy)
    if checkpoint.kind == "static":
        raise InputError(f"The base of the adapter {adapter.source}, {base!r}, is static and has no layers to adapt.")
    return checkpoint


def _describe_folder(located: Located, policy: Policy) -> Checkpoint:
    modules = read_modules(located.folder, name=located.source)
    settings = read_settings(located)
    config = read_object(located.folder, "config.json")
    if modules is None:
        if config is None:
            raise InputError(f"{located.source} is not an encoder: it holds neither config.json nor modules.json.")
        if config.get("model_type") == "model2vec" or ("model_type" not in config and has_table(located.folder)):
            return _static(located, settings, located.folder, normalised=bool(config.get("normalize", True)))
        return _transformer(located, policy, (), settings, config)
    check_modules(modules, name=located.source)
    folder = located.folder / modules[0].path
    if modules[0].kind == "StaticEmbedding":
        return _static(located, settings, folder, normalised=_normalises(modules), listed=True)
    config = read_object(folder, "config.json")
    if config is None:
        raise InputError(f"{located.source} lists a Transformer module, but its config.json is missing.")
    return _transformer(located, policy, modules, settings, config)


def _transformer(
    located: Located,
    policy: Policy,
    modules: tuple[ModuleEntry, ...],
    settings: dict[str, Any],
    config: dict[str, Any],
) -> Checkpoint:
    name, known = located.source, family_of(located.hub_id, located.folder, config.get("_name_or_path"))
    variant = known[1] if known else None
    folder = located.folder / modules[0].path if modules else located.folder
    refuse_hidden_adapters([folder], name=name)
    architecture = read_architecture(config, name=name)
    own_code = architecture.own_code or any(module.own_code for module in modules)
    if own_code and not policy.allow_remote_code:
        raise _refused_code(located, variant)
    if not modules and variant is None:
        check_is_encoder(config, name=name)
    pooling, guessed = _pooling(located, modules, variant)
    dimensions = _dimensions(located, modules, settings, architecture.hidden * len(pooling.ways))
    weights = find_weights(folder, name=name)
    check_claims(config, weights, name=name)
    check_module_claims(located.folder, modules, name=name)
    check_files(folder, name=name)
    limit = token_limit(folder, read_transformer_settings(folder), architecture)
    normalised = (_normalises(modules) if modules else bool(variant and variant.normalised)) and (
        settings.get("truncate_dim") is None
    )
    bidirectional = bool(variant and variant.bidirectional)
    notices = []
    if guessed:
        notices.append(f"No file of {name} tells its pooling; the mean over tokens was guessed.")
    if own_code:
        notices.append(f"{name} runs Python code that came with it.")
    if not weights.safe:
        notices.append(f"{name} has pickled weights; they are read as plain tensors only.")
    return Checkpoint(
        source=name,
        path=located.folder,
        kind="transformer",
        architecture=architecture.model_type,
        family=known[0].name if known else None,
        pooling=pooling.name,
        pooling_guessed=guessed,
        include_prompt=pooling.include_prompt,
        dimensions=dimensions,
        max_tokens=limit,
        prompts=find_prompts(settings, variant),
        layers=architecture.layers,
        heads=architecture.heads,
        normalised=normalised,
        adapter=None,
        licence=find_licence(located, variant),
        parameters=weights.parameters,
        size_bytes=weights.size_bytes,
        notices=tuple(notices),
        content=content_hash(
            _parts(located.folder, modules),
            {
                "modules": [[module.kind, module.path] for module in modules],
                "pooling": pooling.name,
                "include_prompt": pooling.include_prompt,
                "max_tokens": limit,
                "normalised": normalised,
                "truncate_dim": settings.get("truncate_dim"),
                "bidirectional": bidirectional,
            },
        ),
        module_folder=located.folder if modules else None,
        own_code=own_code,
        bidirectional=bidirectional,
        task_adapters=task_adapters(located.folder, name=name),
    )


def _static(
    located: Located, settings: dict[str, Any], folder: Path, *, normalised: bool, listed: bool = False
) -> Checkpoint:
    name = located.source
    rows, columns = static_sizes(folder, name=name)
    weights = find_weights(folder, name=name)
    check_files(folder, name=name)
    if not (folder / "tokenizer.json").is_file():
        raise InputError(f"{name} is a static encoder without tokenizer.json; fetch the checkpoint anew.")
    truncated = settings.get("truncate_dim")
    return Checkpoint(
        source=name,
        path=located.folder,
        kind="static",
        architecture="static",
        family=None,
        pooling=STATIC_POOLING,
        pooling_guessed=False,
        include_prompt=True,
        dimensions=min(columns, truncated or columns),
        max_tokens=None,
        prompts=find_prompts(settings, None),
        layers=None,
        heads=None,
        normalised=normalised and truncated is None,
        adapter=None,
        licence=find_licence(located, None),
        parameters=max(weights.parameters, rows * columns),
        size_bytes=weights.size_bytes,
        notices=(),
        content=content_hash(
            [("", folder)], {"pooling": STATIC_POOLING, "normalised": normalised, "truncate_dim": truncated}
        ),
        module_folder=located.folder if listed else None,
    )


def _over_base(base: Checkpoint, located: Located, parameters: int, size_bytes: int) -> Checkpoint:
    """The base with an adapter's name and, where the adapter's folder lists modules, its modules and prompts."""
    changes: dict[str, Any] = {}
    modules = read_modules(located.folder, name=located.source)
    settings = read_settings(located)
    if modules is not None:
        check_modules(modules, name=located.source)
        if any(module.own_code for module in modules):
            raise InputError(f"The adapter {located.source} lists modules with code of their own; merge it first.")
        check_module_claims(located.folder, modules, name=located.source)
        pooling, _ = _pooling(located, modules, None)
        hidden = base.dimensions if base.module_folder is None else _hidden(base)
        changes = {
            "pooling": pooling.name,
            "pooling_guessed": False,
            "include_prompt": pooling.include_prompt,
            "dimensions": _dimensions(located, modules, settings, hidden * len(pooling.ways)),
            "normalised": _normalises(modules) and settings.get("truncate_dim") is None,
            "module_folder": located.folder,
        }
        limit = read_transformer_settings(located.folder).get("max_seq_length")
        if isinstance(limit, int) and limit > 0:
            changes["max_tokens"] = min(limit, base.max_tokens or limit)
    prompts = find_prompts(settings, None)
    if prompts.source == "checkpoint":
        changes["prompts"] = prompts
    described = [[module.kind, module.path] for module in modules or ()]
    effective = {key: str(value) for key, value in changes.items() if key not in ("module_folder", "prompts")}
    return dataclasses.replace(
        base,
        source=located.source,
        adapter=located.folder,
        parameters=base.parameters + parameters,
        size_bytes=base.size_bytes + size_bytes,
        licence=find_licence(located, None) or base.licence,
        notices=tuple(notice for notice in base.notices if "guessed" not in notice or modules is None),
        content=content_hash(
            _parts(located.folder, modules or ()), {"base": base.content, "modules": described, **effective}
        ),
        **changes,
    )


def _pooling(located: Located, modules: tuple[ModuleEntry, ...], variant: Variant | None) -> tuple[PoolingChoice, bool]:
    """The pooling, and whether it was guessed."""
    for module in modules:
        if module.kind == "Pooling":
            config = read_object(located.folder / module.path, "config.json")
            if config is None:
                raise InputError(f"{located.source} lists a Pooling module, but its config.json is missing.")
            choice = read_pooling(config, name=located.source)
            include = choice.include_prompt and (variant is None or variant.include_prompt)
            return dataclasses.replace(choice, include_prompt=include), False
    if variant is not None:
        return PoolingChoice(tuple(variant.pooling.split("+")), variant.include_prompt), False
    return PoolingChoice(("mean",)), True


def _dimensions(located: Located, modules: tuple[ModuleEntry, ...], settings: dict[str, Any], pooled: int) -> int:
    """Length of a vector: that of the last dense layer, else of pooling, cut where the settings say so."""
    dimensions, pooling_seen = pooled, False
    for module in modules:
        pooling_seen = pooling_seen or module.kind == "Pooling"
        if module.kind == "Dense" and pooling_seen:
            config = read_object(located.folder / module.path, "config.json") or {}
            if not isinstance(config.get("out_features"), int):
                raise InputError(f"{located.source} has a Dense module whose config.json gives no out_features.")
            dimensions = config["out_features"]
    truncated = settings.get("truncate_dim")
    return min(dimensions, truncated) if isinstance(truncated, int) and truncated > 0 else dimensions


def _hidden(base: Checkpoint) -> int:
    modules = read_modules(base.path, name=base.source) or ()
    folder = base.path / modules[0].path if modules else base.path
    return read_architecture(read_object(folder, "config.json") or {}, name=base.source).hidden


def _normalises(modules: tuple[ModuleEntry, ...]) -> bool:
    return any(module.kind == "Normalize" for module in modules)


def _parts(folder: Path, modules: tuple[ModuleEntry, ...]) -> list[tuple[str, Path]]:
    """Each folder with files that count, once, under its name within the checkpoint."""
    paths = dict.fromkeys(("", *(module.path for module in modules)))
    return [(path, folder / path) for path in paths if (folder / path).is_dir()]


def _refused_code(located: Located, variant: Variant | None) -> InputError:
    instead = ""
    if variant and not variant.needs_remote_code and variant.hub_id != located.hub_id:
        instead = f" The same encoder opens without it as {variant.hub_id}."
    return InputError(
        f"{located.source} runs only with Python code that comes with it, and such code is off here; whoever runs the "
        f"server can allow it with EMBEDSCOPE_ALLOW_REMOTE_CODE=1.{instead}"
    )
