"""A text encoder as a torch module: any of Hugging Face's, published, pre-trained here, or with fresh random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel

from gradlab.language.encoder_files import DEFAULT, EncoderFiles
from gradlab.language.hugging_face import fast_tokenizer, loading_errors, quiet_loading, reason_of
from gradlab.language.tokenizer import Tokenizer
from gradlab.language.transformer import TextTransformer
from gradlab.language.transformer_network import configuration_of, initialise
from gradlab.models._randomness import seeded
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import TextSplit
    from gradlab.language.feed import TokenFeed

FORGOTTEN = ("transformers_version", "_name_or_path", "architectures", "dtype", "torch_dtype")
"""Entries of a configuration that do not change what it computes."""
FROM_PADDING = (
    "roberta", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm", "camembert", "mpnet", "longformer", "data2vec-text",
    "ibert", "esm", "luke", "lilt", "xmod", "markuplm",
)  # fmt: skip
"""Types of models that count the places of tokens from the number of padding + 1."""
MOST = 512
"""Tokens of a text at most where a configuration names no limit."""

SAME = 0.01
"""How far vectors of a text alone and beside padding may be apart, in standard deviations; rounding moves them by far less."""


class TextEncoder(nn.Module):
    """Token ids with their attention mask to one vector a token.

    Attributes:
        transformer: the module of the package transformers, without a head. tokenizer: that belongs to it.
        hidden_size: D, numbers that stand for a token. layers: L, blocks that a token passes.
        max_length: most tokens of a text, with those at its ends.
    """

    def __init__(self, transformer: PreTrainedModel, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.transformer, self.tokenizer = transformer, tokenizer
        config: Any = transformer.config
        self.hidden_size = int(config.hidden_size)
        self.layers = int(config.num_hidden_layers)
        self.max_length = longest(config)
        rows = transformer.get_input_embeddings().weight.shape[0]
        if len(tokenizer) > rows:
            raise UserError(
                f"the tokenizer knows {len(tokenizer):,} tokens and the encoder {rows:,}; give the tokenizer that belongs to it."
            )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (N, L) int64 and their mask to the last layer's (N, L, D)."""
        self._check(input_ids)
        output = self.transformer(input_ids=input_ids, attention_mask=attention_mask)
        return output.last_hidden_state  # type: ignore[no-any-return]

    def hidden_states(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Map token ids to what every layer gives: layers + 1 tensors (N, L, D), that of the embeddings first."""
        self._check(input_ids)
        output = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        )
        return tuple(output.hidden_states)

    def feed(self, split: TextSplit, max_length: int) -> TokenFeed:
        """Encode the texts of a split, once, at most as long as the encoder reads; see `token_feed`."""
        from gradlab.language.feed import token_feed

        return token_feed(split, self.tokenizer, max_length=min(max_length, self.max_length))

    def facts(self) -> dict[str, Any]:
        """Return the configuration, from which `build_encoder` makes such an encoder."""
        known = self.transformer.config.to_diff_dict() | {"model_type": self.transformer.config.model_type}
        return {name: value for name, value in known.items() if name not in FORGOTTEN}

    def save(self, folder: str | Path) -> Path:
        """Write config.json, model.safetensors and the tokenizer, as plain `from_pretrained(folder)` reads them."""
        place = Path(folder)
        if place.exists() and any(place.iterdir()):
            raise UserError(f"{place} already exists; give another name, or delete it first.")
        with quiet_loading():
            self.transformer.save_pretrained(place)
        fast_tokenizer(self.tokenizer, self.max_length).save_pretrained(place)
        return place

    def _check(self, input_ids: Tensor) -> None:
        if input_ids.shape[-1] > self.max_length:
            raise UserError(
                f"this encoder reads at most {self.max_length} tokens of a text, got {input_ids.shape[-1]}; "
                f"encode the texts with max_length={self.max_length}."
            )


def read_encoder(files: EncoderFiles) -> TextEncoder:
    """Load a published encoder from its files; see `load_encoder`."""
    common: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_loading(), torch.random.fork_rng(devices=[]):
            model, told = AutoModel.from_pretrained(
                files.folder,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused below, by name
                **common,
            )
    except loading_errors() as error:
        raise UserError(
            f"transformers cannot load the encoder in {files.folder} ({reason_of(error)}); give another one."
        ) from error
    _drop_pooler(model)
    missing = unfilled(told)
    if missing:
        raise UserError(
            f"the weights in {files.folder} do not fill its {type(model).__name__}: {len(missing):,} tensors are missing or of "
            f"another shape ({', '.join(missing[:2])}); give the folder of a whole encoder."
        )
    try:
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(files.folder, use_fast=True, **common)
    except loading_errors() as error:
        raise UserError(
            f"transformers cannot read the tokenizer in {files.folder} ({reason_of(error)}); put its tokenizer.json there."
        ) from error
    encoder = TextEncoder(model, _tokenizer(tokenizer, files.folder)).eval()
    _refuse_decoder(encoder, files.folder)
    refuse_reader_of_padding(encoder, files.folder)
    return encoder


def unfilled(told: Mapping[str, Any]) -> list[str]:
    """Return the names of tensors that weights did not fill, those of a pooler left out; `told` is the loading info."""
    lacking = [*told["missing_keys"], *(one[0] for one in told.get("mismatched_keys", ()))]
    return sorted({str(name) for name in lacking if "pooler" not in str(name)})


@torch.no_grad()
def _refuse_decoder(encoder: TextEncoder, folder: Path) -> None:
    """Refuse what reads a text from left to right only, or needs a second text: the first token must see the last one."""
    config: Any = encoder.transformer.config
    _, unknown, first, last, _ = encoder.tokenizer.special_ids
    if not config.is_encoder_decoder:
        ids = torch.tensor([[first, unknown, last], [first, unknown, unknown]])
        states = _states(encoder, ids, torch.ones_like(ids), folder)[:, 0]
        if not torch.equal(states[0], states[1]):
            return
    raise UserError(
        f"the model in {folder} ({config.model_type}) generates text: its first token knows nothing of those after it, or it "
        f"reads a second text; give an encoder, such as {DEFAULT}."
    )


@torch.no_grad()
def refuse_reader_of_padding(encoder: TextEncoder, folder: Path) -> None:
    """Refuse what reads padding: what it says of a text would depend on the longest text of its batch."""
    padding, unknown, first, last, _ = encoder.tokenizer.special_ids
    alone = torch.tensor([[first, unknown, unknown, last]])
    filled = nn.functional.pad(alone, (0, min(4, encoder.max_length - 4)), value=padding)
    mask = (torch.arange(filled.shape[1]) < alone.shape[1]).long()[None]
    found = _states(encoder, alone, torch.ones_like(alone), folder)
    beside = _states(encoder, filled, mask, folder)[:, : alone.shape[1]]
    if (found - beside).abs().max() > SAME * found.std():
        raise UserError(
            f"the encoder in {folder} ({encoder.transformer.config.model_type}) reads padding, so that what it says of a text "
            f"depends on the longest text of its batch; give another encoder, such as {DEFAULT}."
        )


def _states(encoder: TextEncoder, ids: Tensor, mask: Tensor, folder: Path) -> Tensor:
    try:
        return encoder(ids, mask)  # type: ignore[no-any-return]
    except (RuntimeError, ValueError, IndexError) as error:
        raise UserError(
            f"the encoder in {folder} ({encoder.transformer.config.model_type}) cannot read a text of {ids.shape[1]} tokens "
            f"({reason_of(error)}); give another encoder, such as {DEFAULT}."
        ) from error


def fresh_encoder(
    config: TextTransformer | Mapping[str, Any], tokenizer: Tokenizer, seed: int
) -> TextEncoder:
    """Build an encoder with fresh random weights; see `build_encoder`."""
    if isinstance(config, TextTransformer):
        told = configuration_of(config, 2, max(len(tokenizer), 1))
        std = config.initial_std
    else:
        try:
            told = AutoConfig.for_model(**config)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"transformers has no such encoder ({reason_of(error)}); take another one."
            ) from error
        std = float(getattr(told, "initializer_range", 0.02))
    with quiet_loading(), seeded(seed):  # the constructors draw values, which initialise replaces
        model = AutoModel.from_config(told, attn_implementation="sdpa")
    _drop_pooler(model)
    initialise(model, seed, std)
    return TextEncoder(model, tokenizer).eval()


def _drop_pooler(model: PreTrainedModel) -> None:
    """Remove BERT's layer on the first token, which no encoder needs and many checkpoints lack."""
    if getattr(model, "pooler", None) is not None:
        model.pooler = None


def longest(config: Any) -> int:
    """Return how many tokens of a text an encoder of that configuration reads at most, with those at its ends."""
    places = int(getattr(config, "max_position_embeddings", None) or MOST)
    if str(config.model_type) not in FROM_PADDING:
        return places if places > 0 else MOST  # XLNet has no limit, and says -1
    return places - (2 if config.model_type == "mpnet" else int(config.pad_token_id) + 1)


def _tokenizer(loaded: Any, folder: Path) -> Tokenizer:
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = [getattr(loaded, name) for name in names]
    missing = [name for name, token in zip(names, special, strict=True) if token is None]
    if missing or not getattr(loaded, "is_fast", False):
        lacks = ", ".join(missing) or "a tokenizer.json"
        raise UserError(
            f"the tokenizer in {folder} lacks {lacks}, which an encoder of masked language has; give one such as {DEFAULT}."
        )
    return Tokenizer(loaded.backend_tokenizer.to_str(), tuple(map(str, special)))
