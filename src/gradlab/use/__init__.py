"""What works on a single network: train one, open it, judge it, ask it about pictures, take it elsewhere."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ExplainedText": "explain_text",
        "Exported": "export",
        "Prediction": "predictions",
        "RunComparison": "compare_runs",
        "Scores": "scores",
        "TextExplanations": "explain_text",
        "Trained": "trained",
        "Training": "train",
        "compare_runs": "compare_runs",
        "explain_text": "explain_text",
        "export": "export",
        "export_encoder": "export_encoder",
        "export_model": "export",
        "export_text": "export_text",
        "judge_text": "judge_text",
        "network": "trained",
        "open_trained": "trained",
        "predict": "predictions",
        "score": "scores",
        "train_model": "train",
    },
)

if TYPE_CHECKING:
    from gradlab.use.compare_runs import RunComparison as RunComparison
    from gradlab.use.compare_runs import compare_runs as compare_runs
    from gradlab.use.explain_text import ExplainedText as ExplainedText
    from gradlab.use.explain_text import TextExplanations as TextExplanations
    from gradlab.use.explain_text import explain_text as explain_text
    from gradlab.use.export import Exported as Exported
    from gradlab.use.export import export as export
    from gradlab.use.export import export_model as export_model
    from gradlab.use.export_encoder import export_encoder as export_encoder
    from gradlab.use.export_text import export_text as export_text
    from gradlab.use.judge_text import judge_text as judge_text
    from gradlab.use.predictions import Prediction as Prediction
    from gradlab.use.predictions import predict as predict
    from gradlab.use.scores import Scores as Scores
    from gradlab.use.scores import score as score
    from gradlab.use.train import Training as Training
    from gradlab.use.train import train_model as train_model
    from gradlab.use.trained import Trained as Trained
    from gradlab.use.trained import network as network
    from gradlab.use.trained import open_trained as open_trained
