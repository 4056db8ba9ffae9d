"""Hugging Face's `Trainer` as a side of a benchmark: the mean time of a step of an ordinary training."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset


class WithLoss(nn.Module):
    """A classifier of images as `Trainer` takes it: a mapping with loss and logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return loss and logits."""
        logits = self.model(images)
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


class Named(Dataset[dict[str, Any]]):
    """Pairs of image and label under the names that `WithLoss` takes."""

    def __init__(self, pairs: Dataset[tuple[Tensor, int]]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any]:
        image, label = self.pairs[index]
        return {"images": image, "labels": label}


def trainer(
    model: nn.Module, rows: Any, batch: int, steps: int, *, clock: Callable[[], Any] = time.process_time, **more: Any
) -> Callable[[], Any]:  # fmt: skip
    """Return a side: milliseconds of a step by `clock`, of so many after the first.

    A complex clock, two clocks in one, gives complex times.

    Args:
        rows: a data set of mappings. more: what `Trainer` takes beside, such as a collator; `arguments`: for its
            arguments, such as the number of workers.
    """
    from transformers import Trainer, TrainerCallback, TrainingArguments

    logging.getLogger("transformers").setLevel(logging.ERROR)
    own = more.pop("arguments", {})

    class Clock(TrainerCallback):
        """Notes when each step ended."""

        def __init__(self) -> None:
            self.ends: list[Any] = []

        def on_step_end(self, *_args: object, **_more: object) -> None:
            """Note the time."""
            self.ends.append(clock())

    def side() -> Any:
        seen = Clock()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arguments = TrainingArguments(
                folder, per_device_train_batch_size=batch, max_steps=steps + 1, report_to=[], save_strategy="no",
                logging_strategy="no", disable_tqdm=True, use_cpu=True, remove_unused_columns=False, **own,
            )  # fmt: skip
            Trainer(model, arguments, train_dataset=rows, callbacks=[seen], **more).train()
        return 1e3 * (seen.ends[-1] - seen.ends[0]) / (len(seen.ends) - 1)

    return side
