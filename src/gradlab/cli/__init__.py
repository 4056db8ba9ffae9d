"""The command line: one verb a file, thin over the Python API; joins studies and report."""

from gradlab.cli.start import main as main
