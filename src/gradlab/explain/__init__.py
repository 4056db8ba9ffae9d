"""Where a network looks: maps of images by several methods, whether to believe them, and their pictures."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AttentionRollout": "attention_rollout",
        "Bound": "method",
        "CAM": "cam",
        "DeletionInsertion": "deletion_insertion",
        "EXPLAINERS": "registry",
        "EigenCAM": "eigen_cam",
        "Explanation": "registry",
        "Faithfulness": "faithfulness",
        "GradCAM": "grad_cam",
        "GradCAMPlusPlus": "grad_cam_plus_plus",
        "IntegratedGradients": "integrated_gradients",
        "LayerCAM": "layer_cam",
        "Occlusion": "occlusion",
        "Saliency": "saliency",
        "ScoreCAM": "score_cam",
        "SmoothGrad": "smooth_grad",
        "TokenGradients": "token_gradients",
        "area": "compare_maps",
        "attention_rollout": "attention_rollout",
        "average_drop": "average_drop",
        "cam": "cam",
        "cascade": "randomised",
        "centre_of_mass": "compare_maps",
        "colour": "pictures",
        "deletion_insertion": "deletion_insertion",
        "difference": "pictures",
        "edge_maps": "baselines",
        "eigen_cam": "eigen_cam",
        "faithfulness": "faithfulness",
        "find_spatial_layer": "find_spatial_layer",
        "grad_cam": "grad_cam",
        "grad_cam_plus_plus": "grad_cam_plus_plus",
        "grid": "pictures",
        "highlight": "highlight",
        "in_batches": "method",
        "integrated_gradients": "integrated_gradients",
        "is_empty": "compare_maps",
        "layer_cam": "layer_cam",
        "methods_grid": "pictures",
        "mosaics": "mosaics",
        "occlusion": "occlusion",
        "overlap": "compare_maps",
        "overlay": "pictures",
        "png": "pictures",
        "pointing": "pointing",
        "random_maps": "baselines",
        "randomise": "randomised",
        "rank_correlation": "compare_maps",
        "restored": "randomised",
        "road": "road",
        "saliency": "saliency",
        "scaled": "scaled",
        "score_cam": "score_cam",
        "share_in_cell": "mosaics",
        "similarity": "randomised",
        "smooth_grad": "smooth_grad",
        "taking": "mosaics",
        "token_gradients": "token_gradients",
    },
)

if TYPE_CHECKING:
    from gradlab.explain.attention_rollout import AttentionRollout as AttentionRollout
    from gradlab.explain.attention_rollout import attention_rollout as attention_rollout
    from gradlab.explain.average_drop import average_drop as average_drop
    from gradlab.explain.baselines import edge_maps as edge_maps
    from gradlab.explain.baselines import random_maps as random_maps
    from gradlab.explain.cam import CAM as CAM
    from gradlab.explain.cam import cam as cam
    from gradlab.explain.compare_maps import area as area
    from gradlab.explain.compare_maps import centre_of_mass as centre_of_mass
    from gradlab.explain.compare_maps import is_empty as is_empty
    from gradlab.explain.compare_maps import overlap as overlap
    from gradlab.explain.compare_maps import rank_correlation as rank_correlation
    from gradlab.explain.deletion_insertion import DeletionInsertion as DeletionInsertion
    from gradlab.explain.deletion_insertion import deletion_insertion as deletion_insertion
    from gradlab.explain.eigen_cam import EigenCAM as EigenCAM
    from gradlab.explain.eigen_cam import eigen_cam as eigen_cam
    from gradlab.explain.faithfulness import Faithfulness as Faithfulness
    from gradlab.explain.faithfulness import faithfulness as faithfulness
    from gradlab.explain.find_spatial_layer import find_spatial_layer as find_spatial_layer
    from gradlab.explain.grad_cam import GradCAM as GradCAM
    from gradlab.explain.grad_cam import grad_cam as grad_cam
    from gradlab.explain.grad_cam_plus_plus import GradCAMPlusPlus as GradCAMPlusPlus
    from gradlab.explain.grad_cam_plus_plus import grad_cam_plus_plus as grad_cam_plus_plus
    from gradlab.explain.highlight import highlight as highlight
    from gradlab.explain.integrated_gradients import IntegratedGradients as IntegratedGradients
    from gradlab.explain.integrated_gradients import integrated_gradients as integrated_gradients
    from gradlab.explain.layer_cam import LayerCAM as LayerCAM
    from gradlab.explain.layer_cam import layer_cam as layer_cam
    from gradlab.explain.method import Bound as Bound
    from gradlab.explain.method import in_batches as in_batches
    from gradlab.explain.mosaics import mosaics as mosaics
    from gradlab.explain.mosaics import share_in_cell as share_in_cell
    from gradlab.explain.mosaics import taking as taking
    from gradlab.explain.occlusion import Occlusion as Occlusion
    from gradlab.explain.occlusion import occlusion as occlusion
    from gradlab.explain.pictures import colour as colour
    from gradlab.explain.pictures import difference as difference
    from gradlab.explain.pictures import grid as grid
    from gradlab.explain.pictures import methods_grid as methods_grid
    from gradlab.explain.pictures import overlay as overlay
    from gradlab.explain.pictures import png as png
    from gradlab.explain.pointing import pointing as pointing
    from gradlab.explain.randomised import cascade as cascade
    from gradlab.explain.randomised import randomise as randomise
    from gradlab.explain.randomised import restored as restored
    from gradlab.explain.randomised import similarity as similarity
    from gradlab.explain.registry import EXPLAINERS as EXPLAINERS
    from gradlab.explain.registry import Explanation as Explanation
    from gradlab.explain.road import road as road
    from gradlab.explain.saliency import Saliency as Saliency
    from gradlab.explain.saliency import saliency as saliency
    from gradlab.explain.scaled import scaled as scaled
    from gradlab.explain.score_cam import ScoreCAM as ScoreCAM
    from gradlab.explain.score_cam import score_cam as score_cam
    from gradlab.explain.smooth_grad import SmoothGrad as SmoothGrad
    from gradlab.explain.smooth_grad import smooth_grad as smooth_grad
    from gradlab.explain.token_gradients import TokenGradients as TokenGradients
    from gradlab.explain.token_gradients import token_gradients as token_gradients
