"""The kinds of procedures, by the name that specs and designs hold."""

from gradlab.lab.kinds import Kind
from gradlab.procedures.sources import GIVEN, RECORD
from gradlab.procedures.train import TRAIN

PROCEDURES: dict[str, Kind] = {kind.name: kind for kind in (TRAIN, GIVEN, RECORD)}
