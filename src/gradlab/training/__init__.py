"""Training: recipes, stopping rules, the fit loop over stacked seeds, probes, exact resume."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alarm": "alarms",
        "Batch": "objective",
        "Cosine": "schedule",
        "CrossEntropy": "objective",
        "Feed": "feed",
        "Fit": "fit",
        "Group": "groups",
        "Linear": "schedule",
        "LossSurface": "surface",
        "NamedRecipe": "recipes",
        "Objective": "objective",
        "OneCycle": "schedule",
        "Outputs": "outputs",
        "Patience": "stopping",
        "ProbeRow": "probe_row",
        "RECIPES": "recipes",
        "Recipe": "recipe",
        "StagnationOverfit": "stopping",
        "StepDecay": "schedule",
        "alarms": "alarms",
        "alarms_of_runs": "alarms",
        "effective_depth": "probe_row",
        "fit": "fit",
        "fit_stacked": "fit",
        "gradient_norms": "probe",
        "loss_surface": "surface",
        "named_recipe": "recipes",
        "outputs": "outputs",
        "predict_logits": "predict",
        "probe": "probe",
        "probe_columns": "probe_row",
        "resolve_device": "device",
        "should_stop": "stopping",
        "time_steps": "timing",
    },
)

if TYPE_CHECKING:
    from gradlab.training.alarms import Alarm as Alarm
    from gradlab.training.alarms import alarms as alarms
    from gradlab.training.alarms import alarms_of_runs as alarms_of_runs
    from gradlab.training.device import resolve_device as resolve_device
    from gradlab.training.feed import Feed as Feed
    from gradlab.training.fit import Fit as Fit
    from gradlab.training.fit import fit as fit
    from gradlab.training.fit import fit_stacked as fit_stacked
    from gradlab.training.groups import Group as Group
    from gradlab.training.objective import Batch as Batch
    from gradlab.training.objective import CrossEntropy as CrossEntropy
    from gradlab.training.objective import Objective as Objective
    from gradlab.training.outputs import Outputs as Outputs
    from gradlab.training.outputs import outputs as outputs
    from gradlab.training.predict import predict_logits as predict_logits
    from gradlab.training.probe import gradient_norms as gradient_norms
    from gradlab.training.probe import probe as probe
    from gradlab.training.probe_row import ProbeRow as ProbeRow
    from gradlab.training.probe_row import effective_depth as effective_depth
    from gradlab.training.probe_row import probe_columns as probe_columns
    from gradlab.training.recipe import Recipe as Recipe
    from gradlab.training.recipes import RECIPES as RECIPES
    from gradlab.training.recipes import NamedRecipe as NamedRecipe
    from gradlab.training.recipes import named_recipe as named_recipe
    from gradlab.training.schedule import Cosine as Cosine
    from gradlab.training.schedule import Linear as Linear
    from gradlab.training.schedule import OneCycle as OneCycle
    from gradlab.training.schedule import StepDecay as StepDecay
    from gradlab.training.stopping import Patience as Patience
    from gradlab.training.stopping import StagnationOverfit as StagnationOverfit
    from gradlab.training.stopping import should_stop as should_stop
    from gradlab.training.surface import LossSurface as LossSurface
    from gradlab.training.surface import loss_surface as loss_surface
    from gradlab.training.timing import time_steps as time_steps
