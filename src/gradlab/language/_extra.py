"""What the extra `text` installs, asked for with a sentence where it is absent."""

from __future__ import annotations

from importlib.util import find_spec

from gradlab.types import UserError


def need_text(purpose: str) -> None:
    """Raise unless the packages of the extra `text` are here.

    Args:
        purpose: what needs them, such as "a tokenizer"; the sentence begins with it.

    Raises:
        UserError: transformers or tokenizers is missing.
    """
    missing = [name for name in ("transformers", "tokenizers") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{purpose} needs {' and '.join(missing)}, not installed: run pip install 'gradlab[text]'."
        )
