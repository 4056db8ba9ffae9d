"""Designs of toys, and requests to run them in this process or in worker processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradlab.data.contents import DataInfo
from gradlab.lab import Arm, Claim, Design, Figure, Part, Procedure, Request, Table, run_design
from gradlab.statistics import difference
from tests.lab.toys import TOOLBOX, TROUBLE, Constant, Draw, Sum

__all__ = ["TOOLBOX", "TROUBLE", "Constant", "Draw", "Sum"]


def info(name: str) -> DataInfo:
    """Return facts about data that nobody has."""
    return DataInfo(
        name=name,
        checksum=f"sha256:{name}",
        counts={"train": 10, "test": 10},
        input_shape=(1, 2, 2),
        class_names=("no", "yes"),
        mean=(0.5,),
        std=(0.5,),
        notes=(),
    )


def request(out: Path, seeds: Sequence[int] = (0, 1, 2), **more: Any) -> Request:
    """Return what is asked for, by default in worker processes."""
    known: dict[str, Any] = {
        "preset": "quick",
        "data": "made",
        "info": info,
        "device": "cpu",
        "command": "toy",
    }
    return Request(**(known | {"toolbox": TOOLBOX, "seeds": tuple(seeds), "out": Path(out)} | more))


def here(out: Path, seeds: Sequence[int] = (0, 1, 2), **more: Any) -> Request:
    """Return the same, but all data live in this process, so that everything runs here."""
    return request(out, seeds, memory={"made": "made", "other": "other"}, **more)


def arm(name: str, procedure: Procedure, *, at: Mapping[str, Any] | None = None, **factors: Any) -> Arm:
    """Return an arm."""
    return Arm(name=name, label=f"the {name}", factors=factors, procedure=procedure, at=dict(at or {}))


def part(a: str, b: str, *, measure: str = "hit rate", delta: float = 0.01) -> Part:
    """Return a comparison."""
    return Part(label=f"{a} over {b}", measure=measure, contrast=difference(a, b), delta=delta)


def design(arms: Sequence[Arm], *claims: Claim, **more: Any) -> Design:
    """Return a design with nothing but its arms and claims."""
    texts = {"study": "toy", "title": "t", "question": "Does it?", "background": "b", "setting": "s"}
    rest: dict[str, Any] = {
        "setting_text": "s",
        "deviations": (),
        "parameters": {},
        "tables": (),
        "figures": (),
    }
    return Design(**(texts | rest | {"arms": tuple(arms), "claims": claims} | more))


def small_design(pause: float = 0.0) -> Design:
    """Return a design with inputs, shared inputs, slices, a claim, a table and figures."""
    low, high = Draw(mean=-0.5, pause=pause), Draw(mean=0.5, pause=pause)
    arms = [
        arm("low", low, level=-0.5, how="plain"),
        arm("high", high, level=0.5, how="plain"),
        arm("both", Sum(of=(low, high), pause=pause), level=0.0, how="sum"),
        arm("twice", Sum(of=(high,), factor=2.0, pause=pause), level=1.0, how="sum"),
        arm("odd", high, at={"group": "odd"}, level=0.5, how="slice"),
    ]
    return design(
        arms,
        Claim(id="T-1", statement="High hits more", parts=(part("high", "low"),)),
        Claim(id="T-2", statement="Twice is more", parts=(part("twice", "both", measure="mean", delta=0.1),)),
        tables=(Table(name="hits", title="t", caption="c", measures=("hit rate", "mean")),),
        figures=(
            Figure(name="levels", title="t", caption="c", x="level", y="mean", by="how"),
            Figure(name="curve", title="t", caption="c", table="curve", x="step", y="value", by="how"),
            Figure(name="spread", title="t", caption="c", mark="histogram", table="numbers", x="x", by="arm"),
        ),
    )


def run(made: Design, asked: Request, **more: Any) -> dict[str, Any]:
    """Run a design."""
    return run_design(made, asked, **more)
