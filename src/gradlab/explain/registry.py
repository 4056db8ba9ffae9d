"""The methods that a study can name."""

from __future__ import annotations

from gradlab.explain.attention_rollout import AttentionRollout
from gradlab.explain.cam import CAM
from gradlab.explain.eigen_cam import EigenCAM
from gradlab.explain.grad_cam import GradCAM
from gradlab.explain.grad_cam_plus_plus import GradCAMPlusPlus
from gradlab.explain.integrated_gradients import IntegratedGradients
from gradlab.explain.layer_cam import LayerCAM
from gradlab.explain.occlusion import Occlusion
from gradlab.explain.saliency import Saliency
from gradlab.explain.score_cam import ScoreCAM
from gradlab.explain.smooth_grad import SmoothGrad

Explanation = (
    CAM
    | GradCAM
    | GradCAMPlusPlus
    | LayerCAM
    | ScoreCAM
    | EigenCAM
    | Saliency
    | SmoothGrad
    | IntegratedGradients
    | Occlusion
    | AttentionRollout
)
"""Configuration of a method; the discriminator is `kind`."""

EXPLAINERS: dict[str, type[Explanation]] = {
    "cam": CAM,
    "grad-cam": GradCAM,
    "grad-cam++": GradCAMPlusPlus,
    "layer-cam": LayerCAM,
    "score-cam": ScoreCAM,
    "eigen-cam": EigenCAM,
    "saliency": Saliency,
    "smooth-grad": SmoothGrad,
    "integrated-gradients": IntegratedGradients,
    "occlusion": Occlusion,
    "attention-rollout": AttentionRollout,
}
