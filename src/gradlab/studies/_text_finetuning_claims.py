"""What is claimed about fine-tuning on texts, by the labs and by ourselves, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import TWO_POINTS, part, published

FIGURE = "accuracy-by-parameters"
CONTROL = (
    "The encoder has read many sentences before it sees a label. Whether that helps, only the same network shows that starts "
    "from random weights and trains on the same labelled sentences for as many epochs."
)
LADDER = (
    "From a head alone over adapters and the last block to all layers, more and more numbers train. What is frozen keeps what "
    "the encoder learned before, and what trains can adapt to the question."
)
MIXED = (
    "Under autocast the products of matrices are computed in bf16, which keeps the range of numbers and rounds them to three "
    "digits. Weights and their updates stay in fp32."
)
LAB_000 = published(
    "000",
    "all layers 85.74 %, LoRA 85.27 %, frozen features with an SVM 81.89 %, on validation data; LoRA 170 minutes, all 81",
    "one run each; the adapter was put on the network that was fine-tuned already; memory was not measured",
)
LABS_SVM = published(
    "000",
    "SVM 80.68 % on test data, all layers 85.74 % on validation data; lab 003: 82.2 and 84.7 %, lab 001: 82.2 and 85 %, all on "
    "validation data",
    "one run each; the bar chart sets one's test accuracy against the other's validation accuracy",
)
LAB_004_LAST = published(
    "004",
    "last block and head 85.27 %, all layers 83.96 %, on validation data",
    "one run each; the frozen run goes on from the fine-tuned network, so it trained twice as long",
)
LAB_004_MIXED = published(
    "004",
    "fp16 85.08 %, fp32 83.96 %, on validation data; 3:30 against 8:46",
    "one run each, in another order of runs",
)
LAB_004_LORA = published(
    "004", "LoRA 83.20 %, all layers 83.96 %, on validation data", "one run each, both at a rate of 5e-5"
)


def claims_of(deviations: tuple[str, ...]) -> tuple[Claim, ...]:
    """Return the claims; `deviations` are from the labs' settings."""
    return (
        _scratch(),
        _head(),
        _svm(deviations),
        _lora(deviations),
        _last_block(deviations),
        _mixed(deviations),
        _order(deviations),
    )


def _scratch() -> Claim:
    numbers = "{all} of the test sentences right, from scratch {scratch}"
    return Claim(
        id="finetuning-scratch",
        statement="Fine-tuning a pre-trained encoder is over two points more accurate than the same network from scratch",
        parts=(part("pre-trained - scratch", difference("all", "scratch"), delta=TWO_POINTS),),
        says={
            "supported": f"Pre-training helps: fine-tuned, the encoder gets {numbers}.",
            "refuted": f"Pre-training does not help by two points: fine-tuned, the encoder gets {numbers}.",
            "open": f"Whether pre-training helps by two points is open: fine-tuned, the encoder gets {numbers}.",
        },
        means=CONTROL,
        figure=FIGURE,
    )


def _head() -> Claim:
    return Claim(
        id="finetuning-head",
        statement="Fine-tuning all layers is over two points more accurate than training a head alone",
        parts=(part("all - head", difference("all", "head"), delta=TWO_POINTS),),
        says={
            "supported": "A head alone on the frozen encoder stays behind ({head}).",
            "refuted": "A head alone on the frozen encoder does nearly as well ({head}).",
        },
        means=LADDER,
        figure=FIGURE,
    )


def _svm(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="C000-09",
        statement="Fine-tuning all layers is over two points more accurate than a linear SVM on frozen features",
        parts=(part("all - SVM", difference("all", "svm"), delta=TWO_POINTS),),
        published=LABS_SVM,
        deviations=(*deviations, "test accuracy for both; C chosen on validation"),
        says={
            "supported": "Fine-tuning beats a linear SVM on the first token's frozen features ({svm}).",
            "refuted": "A linear SVM on the first token's frozen features does nearly as well ({svm}).",
        },
        means=LADDER,
        figure=FIGURE,
    )


def _lora(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="C000-10",
        statement="LoRA loses less than two points against fine-tuning all layers",
        parts=(part("LoRA - all", difference("lora", "all"), delta=TWO_POINTS, kind="not less"),),
        published=LAB_000,
        deviations=(
            *deviations,
            "the adapter starts from the encoder",
            "test accuracy instead of validation accuracy",
        ),
        says={
            "supported": "LoRA keeps the accuracy, to within two points ({lora}).",
            "refuted": "LoRA costs accuracy ({lora}).",
        },
        means=LADDER,
        figure=FIGURE,
    )


def _last_block(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="C004-10",
        statement="Training the last block and the head loses less than two points against all layers",
        parts=(part("last block - all", difference("last-block", "all"), delta=TWO_POINTS, kind="not less"),),
        published=LAB_004_LAST,
        deviations=(
            *deviations,
            "both start from the encoder",
            "test accuracy instead of validation accuracy",
        ),
        says={
            "supported": "The last block and the head are enough ({last-block}).",
            "refuted": "The last block and the head are not enough ({last-block}).",
        },
        means=LADDER,
        figure=FIGURE,
    )


def _mixed(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="C004-11",
        statement="Mixed precision changes the accuracy by less than two points",
        parts=(part("bf16 - fp32", difference("mixed", "all"), delta=TWO_POINTS, kind="same"),),
        published=LAB_004_MIXED,
        deviations=(*deviations, "bf16 instead of fp16", "test accuracy instead of validation accuracy"),
        means=MIXED,
        figure=FIGURE,
    )


def _order(deviations: tuple[str, ...]) -> Claim:
    return Claim(
        id="C004-12",
        statement="LoRA is as accurate as training the last block and the head, to within two points",
        parts=(part("LoRA - last block", difference("lora", "last-block"), delta=TWO_POINTS, kind="same"),),
        published=LAB_004_LORA,
        deviations=(
            *deviations,
            "a rate of its own for LoRA",
            "test accuracy instead of validation accuracy",
        ),
        means=LADDER,
        figure=FIGURE,
    )
