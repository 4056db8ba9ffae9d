"""Download of a registered data set's Parquet files from the Hugging Face Hub (extra `hub`)."""

from __future__ import annotations

import importlib
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from gradlab.data.registry import Entry
from gradlab.types import UserError

TIMEOUT = 5.0
"""Seconds to wait for the Hub's first answer."""
logger = logging.getLogger(__name__)


def folder(cache: Path, entry: Entry) -> Path:
    """Where the files of `entry` lie once downloaded."""
    return cache / "hub" / str(entry.folder)


def download(name: str, entry: Entry, cache: Path | None) -> Path:
    """Bring the files into the cache and return their folder; an interrupted download goes on where it stopped.

    Raises:
        UserError: no cache folder, no `huggingface_hub`, no network, or no room; says what would help.
    """
    help_text = (
        f"put its Parquet files into a folder '{entry.folder}' under --data-dir or GRADLAB_DATA, or, with a network, "
        f"run: pip install 'gradlab[hub]' && gradlab data get {name}"
    )
    if cache is None:
        raise UserError(f"There is no cache folder to hold '{name}'; set GRADLAB_CACHE, or {help_text}.")
    try:
        hub: Any = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise UserError(f"Data '{name}' is not on this machine; {help_text}.") from error
    target = folder(cache, entry)
    partial = target.with_name(target.name + ".part")
    branch = {"revision": entry.revision} if entry.revision else {}
    failures: tuple[type[Exception], ...] = (OSError, ValueError, RuntimeError, *_network_errors())
    try:
        partial.mkdir(parents=True, exist_ok=True)
        hub.snapshot_download(
            entry.hub,
            repo_type="dataset",
            local_dir=str(partial),
            allow_patterns=[f"{entry.configuration}/*.parquet" if entry.configuration else "*.parquet"],
            etag_timeout=TIMEOUT,
            **branch,
        )
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        partial.rename(target)
    except failures as error:
        if target.is_dir():
            logger.info("another process brought %s first", target)
            return target
        reason = (str(error).split("\n")[0] or type(error).__name__)[:120].rstrip(".")
        raise UserError(
            f"Data '{name}' was not found here, and the Hub did not provide it ({reason}); {help_text}."
        ) from error
    return target


def _network_errors() -> tuple[type[Exception], ...]:
    """The client's own network error, which is no OSError; it is loaded wherever it can be raised."""
    httpx = sys.modules.get("httpx")
    return (httpx.HTTPError,) if httpx else ()
