"""What a study returns: arms, claims, tables and figures as data, so that anybody can recompute them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from gradlab._configuration import dataclass
from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.procedure import Input, Kinds, Pick, Procedure, dump_procedure, read_procedure
from gradlab.lab.designing.shown import Factor, Figure, Table
from gradlab.types import STRICT, UserError, later

OWN = "own"
"""Setting of a study that repeats no publication: nothing is said about a published setting then."""
OTHERWISE = "this study has nets, data and recipes of its own"
"""How the setting of such a study differs from that of every publication."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Arm:
    """One condition of a study: a procedure, or a slice of what it writes.

    Attributes:
        name: unique, short: "plain-32". label: for people: "plain, depth 32".
        factors: what sets it apart: {"kind": "plain", "depth": 32}; figures and tables use these.
        procedure: what its runs do. at: rows of its tables that are this arm's, such as {"eps": 0.03}.
    """

    name: str
    label: str
    factors: dict[str, Factor]
    procedure: Input
    at: dict[str, Factor] = later({})

    @property
    def is_pick(self) -> bool:
        """Whether the arm stands for one of several others."""
        return isinstance(self.procedure, Pick)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Twins:
    """Two arms that differ in what is named and in nothing else."""

    a: str
    b: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Design:
    """A study with its parameters filled in: everything but the seeds.

    Attributes:
        setting: of which publication, or OWN. setting_text: net and recipe in one sentence. corrections: of faults in the
            published protocol, which do not make another setting of it. deviations: how it differs from the published
            setting; empty means that the publication's claims are judged in their own setting.
    """

    study: str
    title: str
    question: str
    background: str
    setting: str
    setting_text: str
    deviations: tuple[str, ...]
    parameters: dict[str, Any]
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    twins: tuple[Twins, ...] = ()
    corrections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise UserError(f"arms of a study need different names, got {names}.")
        for claim in self.claims:
            for part in claim.parts:
                missing = set(part.contrast.weights) - set(names)
                if missing:
                    raise UserError(
                        f"claim {claim.id} compares arm(s) {sorted(missing)} that the study does not have."
                    )

    @property
    def procedures(self) -> Iterator[Procedure]:
        """What the arms do, each once, in their order."""
        seen: dict[str, Procedure] = {}
        for arm in self.arms:
            seen.setdefault(name_of(arm.procedure), arm.procedure)
        yield from seen.values()

    def arm(self, name: str) -> Arm:
        """Return an arm by its name."""
        return next(arm for arm in self.arms if arm.name == name)


_DESIGN = TypeAdapter(Design)


def name_of(procedure: Procedure) -> str:
    """Return a short name for a procedure with these values, for references inside a design."""
    text = json.dumps(dump_procedure(procedure), sort_keys=True, separators=(",", ":"))
    return f"{procedure.kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def dump_design(design: Design) -> dict[str, Any]:
    """Return the design as plain JSON data; every procedure stands there once, and arms refer to it."""
    data: dict[str, Any] = _DESIGN.dump_python(design, mode="json")
    data["procedures"] = {}
    for arm, dumped in zip(design.arms, data["arms"], strict=True):
        name = name_of(arm.procedure)
        data["procedures"][name] = dumped["procedure"]
        dumped["procedure"] = name
    return data


def read_design(data: Mapping[str, Any], kinds: Kinds) -> Design:
    """Rebuild a design from what `dump_design` returned."""
    rest = {name: value for name, value in data.items() if name != "procedures"}
    made = {name: read_procedure(one, kinds) for name, one in data["procedures"].items()}
    rest["arms"] = [{**arm, "procedure": made[arm["procedure"]]} for arm in data["arms"]]
    return _DESIGN.validate_python(rest)
