"""The program of a worker process."""

from gradlab.lab.running.worker import serve
from gradlab.procedures.toolbox import TOOLBOX

if __name__ == "__main__":
    serve(TOOLBOX)
