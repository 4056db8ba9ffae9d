import subprocess
import sys

import gradlab.report


def test_the_public_names_are_these():
    assert gradlab.report.__all__ == [
        "claims_html", "draw", "render_html", "render_markdown", "table_csv", "table_html", "table_latex", "write_report",
    ]  # fmt: skip
    assert all(callable(getattr(gradlab.report, name)) for name in gradlab.report.__all__)


def test_a_report_is_made_without_torch_and_without_a_window_system():
    code = (
        "import sys; from gradlab.report import *; from tests.report.sample import realistic; render_html(realistic());"
        "print([m for m in ('torch', 'matplotlib.pyplot', 'tkinter', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
