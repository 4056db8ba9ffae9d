"""From runs to verdicts, tables and figures, and back: verify."""
