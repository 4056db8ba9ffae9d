"""The W&B tracker: one W&B run a run, offline by default, without a question, an account or a network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import wandb
from pydantic import ValidationError

from gradlab.types import UserError

FLUSH_SECONDS = 1.0
"""A value can be read from a run's file this long after it was logged."""
SETTINGS: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "save_code": False,
    "host": "",
    "symlink": False,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
    "x_transaction_log_flush_interval": FLUSH_SECONDS,
}
"""Values alone are kept: no output, code, commit, host name, hardware or list of packages."""
REPORTING = "WANDB_ERROR_REPORTING"


class WeightsAndBiases:
    """Holds one W&B run for each run, in project "gradlab" and the study's group.

    Files lie in `folder`/wandb. WANDB_MODE is followed if it is set; without it nothing leaves the machine.

    Raises:
        UserError: WANDB_MODE asks for a server and there is no key, or W&B refuses to start.
    """

    def __init__(self, folder: Path, *, group: str) -> None:
        self.folder, self.group = folder.absolute(), group
        self.runs: dict[str, Any] = {}
        self._stack = contextlib.ExitStack()
        (self.folder / "wandb").mkdir(parents=True, exist_ok=True)  # W&B would go elsewhere without a word
        _check_mode()

    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Log the values of one epoch; the run starts with its first."""
        if run not in self.runs:
            self.runs[run] = self._start(run)
        self.runs[run].log(
            dict(values), step=step, commit=True
        )  # uncommitted values would wait for the next epoch

    def close(self) -> None:
        """Finish all runs, then W&B's service unless runs of others need it."""
        self._stack.close()

    def _start(self, run: str) -> Any:
        arm, _, rest = run.partition("/seed-")
        if not self.runs:
            self._stack.callback(_end_service)
        with _refusals(), _no_error_reports():
            started = wandb.init(
                project="gradlab",
                group=self.group,
                job_type=arm,
                name=run,
                config={"study": self.group, "arm": arm, "seed": int(rest.partition("-")[0])},
                dir=str(self.folder),
                mode=None if os.environ.get("WANDB_MODE") else "offline",
                reinit="create_new",
                settings=wandb.Settings(**SETTINGS),
            )
        self._stack.callback(started.finish)
        return started


def _check_mode() -> None:
    """Refuse to go online without a key; W&B would ask for it."""
    if os.environ.get("WANDB_MODE") in ("online", "run", "shared"):
        with _refusals(), _no_error_reports():
            known = wandb.login(prompt=False)
        if not known:
            _end_service()
            raise UserError(
                "WANDB_MODE asks for W&B's server, but no key is known here: run `wandb login`, or unset WANDB_MODE "
                "to track offline."
            )


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn W&B's errors into one sentence."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(map(str, first["loc"]))
        raise UserError(
            f"W&B refuses its {setting}: {first['msg']}; fix the variable WANDB_{setting.upper()}."
        ) from error
    except wandb.Error as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"W&B did not start: {reason}; unset WANDB_MODE to track offline.") from error


@contextlib.contextmanager
def _no_error_reports() -> Iterator[None]:
    """Start W&B's service without its own error reports, which use the network even offline."""
    before = os.environ.get(REPORTING)
    os.environ.setdefault(REPORTING, "false")
    try:
        yield
    finally:
        if before is None:
            del os.environ[REPORTING]


def _end_service() -> None:
    if wandb.setup().most_recent_active_run is None:
        wandb.teardown()
