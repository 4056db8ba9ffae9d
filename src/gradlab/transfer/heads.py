"""Classical heads on frozen features, as configurations: what each tries on validation data, and scikit-learn's estimator."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, NonNegativeFloat, PositiveFloat

Setting = dict[str, float]
"""Hyper-parameters of one try, by name."""
Positives = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]
TOLERANCE = 0.01
"""At which the linear SVM's solver stops: LIBLINEAR's own default for its primal solver."""
MOST_STEPS = 2000
"""Iterations after which a solver gives up; the try is then marked as not converged."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LinearSVM:
    """Linear support vector machine, one class against the rest, squared hinge loss (Cortes & Vapnik, 1995).

    Attributes:
        c: values of C to try: the smaller, the stronger the L2 regularisation.
        images: at most so many training images, drawn once with the class shares of the whole; left out: all.
    """

    kind: Literal["linear-svm"] = "linear-svm"
    c: Positives = (0.001, 0.01, 0.1)
    images: Count | None = None

    def settings(self) -> list[Setting]:
        """Return what is tried, the strongest regularisation first."""
        return [{"C": value} for value in sorted(self.c)]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator; its primal solver draws nothing at random."""
        from sklearn.svm import LinearSVC

        kind: Any = LinearSVC
        return kind(C=setting["C"], dual=False, tol=TOLERANCE, max_iter=MOST_STEPS, random_state=0)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RBFSVM:
    """Support vector machine with a Gaussian kernel, one class against one (Cortes & Vapnik, 1995).

    Attributes:
        c: values of C to try. gamma: widths of the kernel to try, as multiples of 1 / D for D standardised features.
        images: at most so many training images, drawn once with the class shares of the whole, since training takes
            more than the square of their number; left out: all.
    """

    kind: Literal["rbf-svm"] = "rbf-svm"
    c: Positives = (1.0, 10.0)
    gamma: Positives = (0.3, 1.0)
    images: Count | None = 5000

    def settings(self) -> list[Setting]:
        """Return what is tried, the smoothest first."""
        return [{"C": c, "gamma": gamma} for c, gamma in product(sorted(self.c), sorted(self.gamma))]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator, which scores every class."""
        from sklearn.svm import SVC

        # standardised features: scikit-learn's "scale" is 1 / (D · variance), and the variance is 1
        options = {"decision_function_shape": "ovr", "cache_size": 500, "random_state": 0}
        return _Scaled(SVC, setting["gamma"], C=setting["C"], **options)


class _Scaled:
    """An SVC whose gamma is a multiple of 1 / D, which is known when it is fitted."""

    def __init__(self, kind: Any, gamma: float, **options: Any) -> None:
        self.kind, self.gamma, self.options = kind, gamma, options

    def fit(self, features: Any, labels: Any) -> Any:
        """Return the fitted estimator itself."""
        return self.kind(gamma=self.gamma / features.shape[1], **self.options).fit(features, labels)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NearestNeighbours:
    """The classes of the k nearest training images vote, by Euclidean distance (Cover & Hart, 1967).

    Attributes:
        k: numbers of neighbours to try; those above the number of training images are left out.
        images: as for the others.
    """

    kind: Literal["nearest-neighbours"] = "nearest-neighbours"
    k: Counts = (1, 5, 10, 20, 50)
    images: Count | None = None

    def settings(self) -> list[Setting]:
        """Return what is tried, most neighbours first."""
        return [{"k": value} for value in sorted(self.k, reverse=True)]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator; of classes with as many votes the first is taken."""
        from sklearn.neighbors import KNeighborsClassifier

        kind: Any = KNeighborsClassifier
        return kind(n_neighbors=int(setting["k"]), algorithm="brute")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LogisticRegression:
    """Multinomial logistic regression: a linear layer with softmax, trained to the optimum with L2 regularisation.

    Attributes:
        c: values of C to try: the smaller, the stronger the regularisation. images: as for the others.
    """

    kind: Literal["logistic-regression"] = "logistic-regression"
    c: Positives = (0.01, 0.1, 1.0)
    images: Count | None = None

    def settings(self) -> list[Setting]:
        """Return what is tried, the strongest regularisation first."""
        return [{"C": value} for value in sorted(self.c)]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator."""
        from sklearn.linear_model import LogisticRegression as Estimator

        kind: Any = Estimator
        return kind(C=setting["C"], max_iter=MOST_STEPS)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LDA:
    """Gaussian classifier with one covariance for all classes: linear discriminant analysis (Fisher, 1936).

    Attributes:
        shrinkage: shares of the identity in the covariance to try, in [0, 1]. images: as for the others.
    """

    kind: Literal["lda"] = "lda"
    shrinkage: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)] = (
        0.0,
        0.01,
        0.1,
        0.5,
    )
    images: Count | None = None

    def settings(self) -> list[Setting]:
        """Return what is tried, the strongest shrinkage first."""
        return [{"shrinkage": value} for value in sorted(self.shrinkage, reverse=True)]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator."""
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        kind: Any = LinearDiscriminantAnalysis
        return kind(solver="lsqr", shrinkage=setting["shrinkage"])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NaiveBayes:
    """Gaussian classifier with a variance for every class and feature, features taken as independent: naive Bayes.

    Attributes:
        smoothing: shares of the largest variance to add to all variances, to try. images: as for the others.
    """

    kind: Literal["naive-bayes"] = "naive-bayes"
    smoothing: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)] = (1e-9, 1e-3, 1e-2, 0.1, 1.0)
    images: Count | None = None

    def settings(self) -> list[Setting]:
        """Return what is tried, the strongest smoothing first."""
        return [{"smoothing": value} for value in sorted(self.smoothing, reverse=True)]

    def estimator(self, setting: Setting) -> Any:
        """Return scikit-learn's estimator."""
        from sklearn.naive_bayes import GaussianNB

        kind: Any = GaussianNB
        return kind(var_smoothing=setting["smoothing"])


Head = LinearSVM | RBFSVM | NearestNeighbours | LogisticRegression | LDA | NaiveBayes
"""Configuration of a head; the discriminator is `kind`."""
HEADS: dict[str, type[Head]] = {
    "linear-svm": LinearSVM,
    "rbf-svm": RBFSVM,
    "nearest-neighbours": NearestNeighbours,
    "logistic-regression": LogisticRegression,
    "lda": LDA,
    "naive-bayes": NaiveBayes,
}
