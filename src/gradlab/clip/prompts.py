"""Prompts: what a class is called, and the templates that make sentences of it."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab.types import UserError

PHOTO = ("a photo of a {}.",)
"""The template that CLIP's authors recommend (Radford et al., 2021, section 3.1.4)."""
NAME = ("{}",)
"""The bare class name."""
ENSEMBLE = (
    "a photo of a {}.",
    "a blurry photo of a {}.",
    "a good photo of a {}.",
    "a bad photo of a {}.",
    "a photo of a small {}.",
    "a photo of a big {}.",
    "a black and white photo of a {}.",
    "a low contrast photo of a {}.",
)
"""Eight sentences in the manner of the authors' ensembles for small images."""
TEMPLATES: dict[str, tuple[str, ...]] = {"name": NAME, "photo": PHOTO, "ensemble": ENSEMBLE}

GROUPS: dict[str, tuple[str, ...]] = {
    "aquatic mammal": ("beaver", "dolphin", "otter", "seal", "whale"),
    "fish": ("aquarium fish", "flatfish", "ray", "shark", "trout"),
    "flower": ("orchid", "poppy", "rose", "sunflower", "tulip"),
    "food container": ("bottle", "bowl", "can", "cup", "plate"),
    "fruit or vegetable": ("apple", "mushroom", "orange", "pear", "sweet pepper"),
    "household electrical device": ("clock", "keyboard", "lamp", "telephone", "television"),
    "piece of furniture": ("bed", "chair", "couch", "table", "wardrobe"),
    "insect": ("bee", "beetle", "butterfly", "caterpillar", "cockroach"),
    "large carnivore": ("bear", "leopard", "lion", "tiger", "wolf"),
    "large man-made outdoor thing": ("bridge", "castle", "house", "road", "skyscraper"),
    "large natural outdoor scene": ("cloud", "forest", "mountain", "plain", "sea"),
    "large plant eater": ("camel", "cattle", "chimpanzee", "elephant", "kangaroo"),
    "medium-sized mammal": ("fox", "porcupine", "possum", "raccoon", "skunk"),
    "non-insect invertebrate": ("crab", "lobster", "snail", "spider", "worm"),
    "person": ("baby", "boy", "girl", "man", "woman"),
    "reptile": ("crocodile", "dinosaur", "lizard", "snake", "turtle"),
    "small mammal": ("hamster", "mouse", "rabbit", "shrew", "squirrel"),
    "tree": ("maple tree", "oak tree", "palm tree", "pine tree", "willow tree"),
    "everyday vehicle": ("bicycle", "bus", "motorcycle", "pickup truck", "train"),
    "special vehicle": ("lawn mower", "rocket", "streetcar", "tank", "tractor"),
}
"""The 20 groups of CIFAR-100 (Krizhevsky, 2009), in words, and the classes of each."""
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def spoken(name: str) -> str:
    """Return a class name as people write it: "aquarium fish" for "aquarium_fish"."""
    return " ".join(name.replace("_", " ").split())


def described(name: str) -> str:
    """Return a class name with its group where it is known, such as "shark, a type of fish" (section 3.1.4)."""
    plain = spoken(name)
    group = _GROUP_OF.get(plain)
    return plain if group is None else f"{plain}, a type of {group}"


def prompts_of(names: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """Return the prompts of each class, one a template.

    >>> prompts_of(["cat"], ["a photo of a {}.", "{}"])
    [['a photo of a cat.', 'cat']]

    Raises:
        UserError: no class, no template, one that is empty or no text, one class named twice, or a template without the
            place of the class's name.
    """
    names, templates = _checked(names), _checked(templates)
    plain = [" ".join(name.split()) for name in names]
    twice = next((name for number, name in enumerate(plain) if name in plain[:number]), None)
    if twice is not None:
        raise UserError(f"the class '{twice}' is named twice; name each class once.")
    for template in templates:
        if template.count("{}") != 1 or template.count("{") != 1 or template.count("}") != 1:
            raise UserError(
                f"a template holds {{}} for the class name exactly once, got {template!r}; write it like "
                "'a photo of a {}.'."
            )
    return [[template.format(name) for template in templates] for name in names]


def _checked(words: Sequence[str]) -> list[str]:
    """Return names or templates as a list of texts that are not empty."""
    found = [] if isinstance(words, str) else list(words)
    if not found or not all(isinstance(one, str) and one.strip() for one in found):
        raise UserError(
            "prompts need a list of class names and a list of templates, at least one of each, all of them texts and none empty."
        )
    return found
