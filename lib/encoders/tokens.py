"""Tokens: texts to token ids with a private copy of an encoder's tokenizer, which several threads may use at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True)
class Tokenised:
    """The tokens of some texts."""

    encodings: list["Encoding"]
    """One a text, cut at the maximum length."""
    lengths: NDArray[np.int64]
    """Tokens in each, shape (n,)."""
    truncated: NDArray[np.bool_]
    """Whether the text was cut, shape (n,)."""


class TextTokenizer:
    """What `PreTrainedTokenizerFast` does with single texts, without its state that changes from call to call."""

    def __init__(self, tokenizer: Any) -> None:
        """Copy a fast tokenizer of transformers, with its maximum length (`model_max_length`)."""
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._specials = set(tokenizer.all_special_ids)
        self._plain_prompt = Tokenizer.from_str(self._tokenizer.to_str())
        limit = tokenizer.model_max_length
        if limit is not None and limit < 10_000_000:
            self._tokenizer.enable_truncation(int(limit), strategy="longest_first", direction=tokenizer.truncation_side)
        self._pad_id = tokenizer.pad_token_id or 0
        self._pad_type = getattr(tokenizer, "pad_token_type_id", 0)
        self._left = tokenizer.padding_side == "left"
        self._types = "token_type_ids" in tokenizer.model_input_names

    def __call__(self, texts: list[str]) -> Tokenised:
        """Tokenise `texts`; half of a surrogate pair, which no tokenizer takes, becomes a question mark."""
        try:
            encodings = self._tokenizer.encode_batch_fast(texts)
        except (TypeError, UnicodeEncodeError):
            encodings = self._tokenizer.encode_batch_fast([_without_surrogates(text) for text in texts])
        lengths = np.fromiter((len(encoding) for encoding in encodings), np.int64, len(encodings))
        truncated = np.zeros(len(encodings), dtype=bool)
        if self._tokenizer.truncation:
            for row in np.flatnonzero(lengths >= self._tokenizer.truncation["max_length"]):
                truncated[row] = bool(encodings[row].overflowing)
        return Tokenised(encodings, lengths, truncated)

    def prompt_length(self, prompt: str) -> int:
        """Tokens that `prompt` takes at the start of a text, special ones before it included."""
        ids = self._plain_prompt.encode(prompt).ids
        return len(ids) - int(bool(ids) and ids[-1] in self._specials)

    @property
    def special_count(self) -> int:
        """Special tokens that are put around a text."""
        return int(self._tokenizer.num_special_tokens_to_add(False))

    def spans(self, texts: list[str]) -> list[NDArray[np.int64]]:
        """Where each token of a whole text begins and ends in it (characters), special ones left out: (t, 2) each."""
        return spans_by(self._plain_prompt, texts)

    def text_tokens(self, encoding: "Encoding") -> list[str]:
        """The tokens as the vocabulary spells them."""
        return [self._tokenizer.id_to_token(token) or "" for token in encoding.ids]

    def features(self, encodings: list["Encoding"]) -> dict[str, Any]:
        """Padded tensors: `input_ids`, `attention_mask` and, where the model takes them, `token_type_ids`, (b, t)."""
        import torch

        width = max(1, *(len(encoding) for encoding in encodings))
        ids = np.full((len(encodings), width), self._pad_id, dtype=np.int64)
        mask = np.zeros((len(encodings), width), dtype=np.int64)
        types = np.full((len(encodings), width), self._pad_type, dtype=np.int64) if self._types else None
        for row, encoding in enumerate(encodings):
            place = slice(width - len(encoding), width) if self._left else slice(0, len(encoding))
            ids[row, place] = encoding.ids
            mask[row, place] = 1
            if types is not None:
                types[row, place] = encoding.type_ids
        arrays = {"input_ids": ids, "attention_mask": mask} | ({} if types is None else {"token_type_ids": types})
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def spans_by(tokenizer: Any, texts: list[str]) -> list[NDArray[np.int64]]:
    """Where a tokenizer that neither cuts nor pads finds the tokens of each text, special ones left out, (t, 2)."""
    encodings = tokenizer.encode_batch([_without_surrogates(text) for text in texts], add_special_tokens=False)
    return [np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2) for encoding in encodings]


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
