import numpy as np
import pytest


@pytest.fixture
def sample():
    """Logits (200, 7) and labels of 200 samples; class 6 never occurs, and the predictions are half right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, 200)
    logits = rng.normal(size=(200, 7)) * 2
    logits[np.arange(200), labels] += 2
    return logits, labels
