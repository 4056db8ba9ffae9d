"""From the results of a study to pages and tables: HTML, Markdown, CSV, LaTeX, notebook; needs no torch."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

if TYPE_CHECKING:
    from gradlab.report.figures import draw as draw
    from gradlab.report.markdown import render_markdown as render_markdown
    from gradlab.report.notebook import claims_html as claims_html
    from gradlab.report.notebook import table_html as table_html
    from gradlab.report.page import render_html as render_html
    from gradlab.report.tables import table_csv as table_csv
    from gradlab.report.tables import table_latex as table_latex
    from gradlab.report.writing import write_report as write_report

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "claims_html": "notebook",
        "draw": "figures",
        "render_html": "page",
        "render_markdown": "markdown",
        "table_csv": "tables",
        "table_html": "notebook",
        "table_latex": "tables",
        "write_report": "writing",
    },
)
