"""CLIP ViT-B/32 at its full size, built from its configuration: a training step and an evaluation within 8 GB."""

import json
import subprocess
import sys

import pytest

CODE = """
import json, resource, torch
from transformers import CLIPConfig, CLIPModel
from gradlab.clip import CLIP, Contrastive, PairFeed
from gradlab.clip.preprocessing import Preprocessing
from gradlab.data import from_tensors
from gradlab.training import Recipe, fit

torch.set_num_threads(1)
config = CLIPConfig(vision_config={"patch_size": 32}, text_config={"eos_token_id": 49407})
clip = CLIP(CLIPModel(config), None, Preprocessing(224, (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)))
stream = torch.Generator().manual_seed(0)
images = torch.randint(0, 256, (16, 3, 224, 224), generator=stream, dtype=torch.uint8)
data = from_tensors(images, torch.arange(16) % 2, validation=(images[:4], torch.arange(4) % 2))
ids = torch.randint(0, 49000, (2, 2, 16), generator=stream)
ids[..., 0], ids[..., -1] = 49406, 49407
feeds = [PairFeed(one, ids, torch.ones_like(ids)) for one in (data.train, data.validation)]
recipe = Recipe(optimizer="adamw", epochs=1, batch_size=len(data.train), learning_rate=1e-5, keep="last")
done = fit(clip, feeds[0], recipe, validation=feeds[1], objective=Contrastive(), device="cpu", progress=False)
print(json.dumps({
    "parameters": sum(one.numel() for one in clip.parameters()),
    "loss": done.history[0]["train_loss"],
    "accuracy": done.history[0]["validation_accuracy"],
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


@pytest.mark.slow
def test_a_step_and_an_evaluation_of_vit_b_32_fit_into_eight_gigabytes():
    process = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    told = json.loads(process.stdout.splitlines()[-1])
    assert told["parameters"] == 151_277_313  # as of openai/clip-vit-base-patch32
    assert told["loss"] > 0
    assert 0 <= told["accuracy"] <= 1
    assert told["gigabytes"] < 8
