"""The program of a worker process."""

from gradlab._compiler import spare_compiler
from gradlab._torch import torch
from gradlab.lab.running.worker import serve
from gradlab.procedures.toolbox import TOOLBOX

if __name__ == "__main__":
    one = torch.optim.Optimizer
    spare_compiler(one.add_param_group, one.load_state_dict, one.state_dict, one.zero_grad)
    serve(TOOLBOX)
