"""One training step in PyTorch: forward, cross-entropy, backward, SGD with momentum.

usage: torch_step.py WORKLOAD MODE [--threads N] [--precision f32|bf16] [--worker]
MODE is eager, channels-last or compile (torch.compile of the channels-last network; of the
plain one where there are no channels). bf16 is autocast, with the weights in f32.
"""
import argparse

import worker


def mlp(widths):
    from torch import nn
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def workload(name):
    """Network, images, labels; the same shapes as the table in src/cli/bench_workloads.c."""
    import torch
    from resnet import ResNet18
    if name == "resnet18-step":
        return ResNet18(3, 9, 2), torch.randn(128, 3, 28, 28), torch.randint(0, 9, (128,))
    if name == "resnet18-3d-step":
        return ResNet18(1, 11, 3), torch.randn(32, 1, 28, 28, 28), torch.randint(0, 11, (32,))
    return mlp([1000, 12, 12, 2]), torch.randn(32, 1000), torch.randint(0, 2, (32,))


def prepare(args):
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    net, x, y = workload(args.workload)
    if args.mode != "eager" and x.dim() > 3:
        layout = torch.channels_last_3d if x.dim() == 5 else torch.channels_last
        net, x = net.to(memory_format=layout), x.to(memory_format=layout)
    if args.mode == "compile":
        net = torch.compile(net)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    bf16 = args.precision == "bf16"

    def step():
        optimiser.zero_grad(set_to_none=True)
        if bf16:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = net(x)
            loss = F.cross_entropy(logits.float(), y)
        else:
            loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()

    return f"PyTorch {args.mode}", torch.__version__.split("+")[0], step


parser = argparse.ArgumentParser()
parser.add_argument("workload", choices=("resnet18-step", "resnet18-3d-step", "mlp-step"))
parser.add_argument("mode", choices=("eager", "channels-last", "compile"))
arguments = worker.arguments(parser)
worker.main(arguments, lambda: prepare(arguments))
