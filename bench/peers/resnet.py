"""ResNet-18 (He et al. 2016, basic blocks) in 2-D and 3-D, as Nodule builds it: the `small` stem
is one 3x3 convolution, the `imagenet` stem a 7x7 with stride 2 and a max pooling."""
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, nd):
        super().__init__()
        conv = nn.Conv2d if nd == 2 else nn.Conv3d
        norm = nn.BatchNorm2d if nd == 2 else nn.BatchNorm3d
        self.conv1, self.norm1 = conv(c_in, c_out, 3, stride, 1, bias=False), norm(c_out)
        self.conv2, self.norm2 = conv(c_out, c_out, 3, 1, 1, bias=False), norm(c_out)
        self.shortcut = None
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(conv(c_in, c_out, 1, stride, bias=False), norm(c_out))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)), inplace=True)


class ResNet18(nn.Module):
    def __init__(self, channels, n_outputs, nd, stem="small"):
        super().__init__()
        conv = nn.Conv2d if nd == 2 else nn.Conv3d
        norm = nn.BatchNorm2d if nd == 2 else nn.BatchNorm3d
        small = stem == "small"
        self.conv = conv(channels, 64, 3 if small else 7, 1 if small else 2, 1 if small else 3,
                         bias=False)
        self.norm = norm(64)
        pool = nn.MaxPool2d if nd == 2 else nn.MaxPool3d
        self.pool = nn.Identity() if small else pool(3, 2, 1)
        blocks, c_in = [], 64
        for c_out, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [Block(c_in, c_out, stride, nd), Block(c_out, c_out, 1, nd)]
            c_in = c_out
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(512, n_outputs)
        self.axes = tuple(range(2, 2 + nd))

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.conv(x)), inplace=True))
        return self.fc(self.blocks(x).mean(self.axes))
