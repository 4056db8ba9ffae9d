import re
import shlex
import subprocess
import sys

import pytest

from gradlab.cli.app import VERBS, app, load_verb, main

PATHS = [[], ["run"], ["plan"], ["report"], ["verify"], ["runs"], ["list"], ["data"], ["data", "list"]]
PATHS += [
    ["data", "get"],
    ["data", "check"],
    ["train"],
    ["train", "mlp"],
    ["train", "cnn"],
    ["evaluate"],
    ["predict"],
    *(["runs", verb] for verb in ("list", "show", "compare", "export", "prune")),
    *([verb, study] for verb in ("run", "plan") for study in ("residual-mlp", "compare")),
]


def test_the_verbs_are_these(ask):
    text = ask("--help").out
    found = re.findall(r"^│ (\w+) ", text, flags=re.MULTILINE)
    assert [name for name in found if name in VERBS] == list(VERBS)
    assert {
        "run",
        "plan",
        "report",
        "verify",
        "diff",
        "train",
        "evaluate",
        "predict",
        "certify",
        "runs",
        "list",
        "data",
    } == set(VERBS)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_ends_with_an_example_that_can_be_typed(ask, path):
    answer = ask(*path, "--help")
    assert answer.code == 0
    example = answer.out.strip().splitlines()[-1]
    assert example.startswith("Example: gradlab ")
    words = shlex.split(example.removeprefix("Example: gradlab "))
    assert words[: len(path)] == path
    if any(word in ("list", "check", "get") for word in words[:2]) and words[0] == "data":
        assert words[1] in ("list", "get", "check")
    command, bound, *_ = app.parse_args(words)
    assert callable(command)
    assert bound is not None


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_the_help_of_a_study_names_every_parameter_with_its_default(ask, verb):
    text = " ".join(ask(verb, "residual-mlp", "--help").out.split())
    for option in (
        "preset", "data", "data-dir", "seeds", "first-seed", "device", "executor", "address", "precision",
        "out", "records", "json",
    ):  # fmt: skip
        assert f"--{option}" in text
    for option in ("setting", "depths", "width", "epochs", "learning-rate", "batch-size", "init"):
        assert f"--{option}" in text
    for default in ("quick", "digits", "6", "runs", "003"):
        assert f"[default: {default}]" in text
    assert "[default: rotten-tomatoes]" in " ".join(ask(verb, "text-finetuning", "--help").out.split())
    assert ("--tracker" in text) == ("--open" in text) == (verb == "run")


def test_what_only_python_can_say_is_no_option(ask):
    text = ask("run", "compare", "--help").out
    assert "--widths" in text
    assert "--models" not in text


def test_the_version(ask):
    import gradlab

    assert ask("--version").out.strip() == gradlab.__version__


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
        (["data", "lst"], "unknown command 'lst'; did you mean 'list'?"),
        (["verify"], "needs a value; see --help for an example."),
        (["verify", "nowhere", "--jsn"], "unknown option '--jsn'; did you mean '--json'?"),
        (["list", "more"], "'more' is not understood here; see --help."),
        (
            ["verify", "nowhere"],
            "nowhere holds no results.json; give a report, its folder, or the --out folder of a run.",
        ),
        (
            ["report", "nowhere"],
            "nowhere holds no results.json; give a report, its folder, or the --out folder of a run.",
        ),
        (["runs", "nowhere"], "nowhere holds no records; give the --out folder of a run."),
        (
            ["run", "activations", "--activations", "tanhh"],
            "--activations cannot be 'tanhh'; did you mean 'tanh'?",
        ),
        (
            ["run", "residual-mlp", "--depths"],
            "--depths needs at least one value; leave it out for its default.",
        ),
        (["data", "check", "nowhere"], "No data set is called 'nowhere'"),
    ],
)
def test_a_mistake_is_one_sentence(ask, words, text):
    assert text in ask(*words).sentence


def test_an_error_of_the_system_is_one_sentence(ask, monkeypatch):
    def refuse(*_: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", "/locked/place")

    monkeypatch.setattr("gradlab.verification.verify", refuse)
    assert ask("verify", "x").sentence == "Permission denied: /locked/place; fix it, then ask again."


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    import subprocess
    import sys

    process = subprocess.run(
        f"{shlex.quote(sys.executable)} -m gradlab.cli list | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert process.returncode == 0
    assert process.stderr == ""
    assert process.stdout.startswith("studies")


def test_main_gives_the_exit_code(capsys):
    assert main(["list"]) == 0
    assert main(["lst"]) == 1
    capsys.readouterr()


def test_the_list_of_verbs_says_what_each_says_of_itself_and_loads_none():
    code = "import sys; from gradlab.cli.app import main; main(['--help']); print('gradlab.studies' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.endswith("False\n")
    for verb, sentence in VERBS.items():
        load_verb(verb)
        assert str(app[verb].help).splitlines()[0] == sentence


def test_below_torchrun_nothing_but_a_training_starts(ask, monkeypatch):
    for name, value in {
        "RANK": "0",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert ask("list").sentence.startswith(
        "torchrun divides one training among processes; start gradlab train with it"
    )
