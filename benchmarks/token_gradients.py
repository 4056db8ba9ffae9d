"""Integrated gradients on tokens against captum's: largest difference, and what is missing to completeness.

Run `python benchmarks/token_gradients.py` in an environment that has captum; without it, completeness alone is printed. A
DistilBERT and a BERT of random weights; both sides take the same points (Gauss and Legendre) from the same baseline.
"""

from __future__ import annotations

import importlib.util

import torch

from gradlab.explain import token_gradients
from gradlab.language import TextTransformer, WordPiece, build_encoder, text_classifier

TEXTS = (
    "a splendid film with rain and maps",
    "dreadful",
    "the plot , the scenes and some very long trains in dust",
)
STEPS = (20, 50, 200)


def captums(
    model: torch.nn.Module, inputs: dict[str, torch.Tensor], baseline: torch.Tensor, steps: int
) -> torch.Tensor | None:
    """Return captum's values (N, L), None where it is not installed."""
    if importlib.util.find_spec("captum") is None:
        return None
    from captum.attr import LayerIntegratedGradients

    method = LayerIntegratedGradients(
        lambda ids, mask: model(input_ids=ids, attention_mask=mask).logits, model.get_input_embeddings()
    )
    found: torch.Tensor = method.attribute(
        inputs["input_ids"],
        baseline,
        target=model(**inputs).logits.argmax(1),
        additional_forward_args=(inputs["attention_mask"],),
        n_steps=steps,
        method="gausslegendre",
    )
    return found.sum(-1)


def main() -> None:
    """Print a line for each network and number of steps."""
    torch.set_num_threads(1)
    words = WordPiece(vocab_size=200).train(list(TEXTS) * 8)
    ends = torch.tensor([words.special_ids[place] for place in (0, 2, 3)])  # padding, first and last token
    for family in ("distilbert", "bert"):
        shape = TextTransformer(
            family=family, dim=64, layers=3, heads=4, hidden_dim=128, max_length=32, initial_std=0.15
        )
        model = text_classifier(build_encoder(shape, words, seed=1), ("a", "b", "c"), seed=0).eval()
        inputs = words.encode(TEXTS, 32).batch(torch.arange(len(TEXTS)))
        ids = inputs["input_ids"]
        baseline = torch.where(torch.isin(ids, ends), ids, torch.tensor(words.special_ids[-1]))
        for steps in STEPS:
            found = token_gradients(model, inputs, baseline, steps=steps)
            other = captums(model, inputs, baseline, steps)
            told = "captum is not here"
            if other is not None:
                told = f"largest difference from captum {float((found.values - other).abs().max()):.1e}"
            print(
                f"{family}, {steps} steps: largest value {float(found.values.abs().max()):.3f}, {told}, "
                f"missing to completeness {float(found.gap.abs().max()):.1e}"
            )


if __name__ == "__main__":
    main()
