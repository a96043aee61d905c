"""Prediction of one 224x224 image with ResNet-18 in ONNX Runtime, OpenVINO and PyTorch.

usage: infer_peers.py resnet18-predict PEER [--threads N] [--precision f32|bf16] [--worker]
PEER is onnxruntime, openvino, torch-last or torch-compile. The network goes to the first two
as an ONNX file that PyTorch exports; ONNX Runtime has no bf16 convolution on processors.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import worker


def with_onnx_file(read):
    """read(path) of a temporary ONNX file of the network, and an image."""
    import numpy
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "export_onnx.py")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        subprocess.run([sys.executable, script, path], check=True, stdout=sys.stderr)
        image = numpy.random.default_rng(0).standard_normal((1, 3, 224, 224), numpy.float32)
        return read(path), image


def onnxruntime(args):
    import onnxruntime as ort
    if args.precision != "f32":
        raise ValueError("ONNX Runtime has no bf16 convolution on processors")
    options = ort.SessionOptions()
    options.intra_op_num_threads = args.threads
    session, x = with_onnx_file(
        lambda path: ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
    return "ONNX Runtime", ort.__version__, lambda: session.run(None, {"x": x})


def openvino(args):
    import openvino as ov
    from openvino.properties import hint
    settings = {hint.inference_precision: args.precision,
                "INFERENCE_NUM_THREADS": args.threads,
                hint.performance_mode: hint.PerformanceMode.LATENCY}
    compiled, x = with_onnx_file(lambda path: ov.Core().compile_model(path, "CPU", settings))
    request = compiled.create_infer_request()
    return "OpenVINO", ov.__version__.split("-")[0], lambda: request.infer({0: x})


def torch_mode(args):
    import torch
    from resnet import ResNet18
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    net, x = ResNet18(3, 1000, 2, stem="imagenet").eval(), torch.randn(1, 3, 224, 224)
    net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if args.precision == "bf16":
        net, x = net.to(torch.bfloat16), x.to(torch.bfloat16)
    compiled = args.peer == "torch-compile"
    if compiled:
        net = torch.compile(net)

    def run():
        with torch.inference_mode():
            net(x)

    name = "PyTorch compile" if compiled else "PyTorch channels-last"
    return name, torch.__version__.split("+")[0], run


PEERS = {"onnxruntime": onnxruntime, "openvino": openvino, "torch-last": torch_mode,
         "torch-compile": torch_mode}

parser = argparse.ArgumentParser()
parser.add_argument("workload", choices=("resnet18-predict",))
parser.add_argument("peer", choices=tuple(PEERS))
arguments = worker.arguments(parser)
worker.main(arguments, lambda: PEERS[arguments.peer](arguments))
