"""Writes the network of resnet18-predict as an ONNX file: export_onnx.py FILE. A program of its
own, so that PyTorch's memory is not counted as that of the runtimes that read the file."""
import sys

import torch
from resnet import ResNet18

torch.manual_seed(0)
net = ResNet18(3, 1000, 2, stem="imagenet").eval()
torch.onnx.export(net, (torch.randn(1, 3, 224, 224),), sys.argv[1], opset_version=17,
                  dynamo=False, input_names=["x"], output_names=["y"])
