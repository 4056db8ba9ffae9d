"""The section on probes, on the page and in Markdown."""

from gradlab.report import render_html, render_markdown
from tests.report.reading import Page
from tests.report.sample import smallest


def alarm(arm: str, kind: str, text: str, seeds: int, when: str) -> dict[str, object]:
    return {"arm": arm, "kind": kind, "text": text, "seeds": seeds, "runs": 6, "when": when}


ALARMS = [
    alarm("plain 32", "vanishing", "vanishes below layer 27 to 29", 6, "at the start"),
    alarm("one <64>", "exploding", "explodes by a factor of 10³", 5, "after training"),
    alarm("plain 32", "dead units", "81 % of the units of layer 7 are dead", 1, "at the start"),
]


def test_alarms_of_one_arm_and_moment_stand_in_one_row():
    expected = "vanishes below layer 27 to 29 (6 of 6); 81 % of the units of layer 7 are dead (1 of 6)"
    text = render_markdown(smallest(alarms=ALARMS))
    assert "## What the probes say\n\n" in text
    assert f"| plain 32 | at the start | {expected} |" in text
    assert text.index("plain 32") < text.index("one &lt;64&gt;")
    page = Page(render_html(smallest(alarms=ALARMS)))
    assert page.problems == []
    assert "alarms" in page.ids
    assert expected in page.text
    assert "one <64>" in page.text
    assert "explodes by a factor of 10³ (5 of 6)" in page.text


def test_probes_that_raise_nothing_are_one_sentence():
    for text in (render_markdown(smallest(alarms=[])), Page(render_html(smallest(alarms=[]))).text):
        assert "no run raised an alarm" in text
        assert "An alarm is a hint" not in text


def test_without_probes_the_section_is_not_there():
    for results in (smallest(), smallest(alarms=None)):
        assert "What the probes say" not in render_markdown(results)
        assert "What the probes say" not in render_html(results)
