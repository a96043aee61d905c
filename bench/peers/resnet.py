"""ResNet-18 (He et al. 2016, basic blocks) in 2-D and 3-D, as Nodule builds it: the `small` stem
is one 3x3 convolution, the `imagenet` stem a 7x7 with stride 2 and a max pooling. Its parameters
come in Nodule's order."""
import torch.nn.functional as F
from torch import nn


def relu(x):
    return F.relu(x, inplace=True)


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, nd, act):
        super().__init__()
        conv = nn.Conv2d if nd == 2 else nn.Conv3d
        norm = nn.BatchNorm2d if nd == 2 else nn.BatchNorm3d
        self.conv1, self.norm1 = conv(c_in, c_out, 3, stride, 1, bias=False), norm(c_out)
        self.conv2, self.norm2 = conv(c_out, c_out, 3, 1, 1, bias=False), norm(c_out)
        self.shortcut, self.act = None, act
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(conv(c_in, c_out, 1, stride, bias=False), norm(c_out))

    def forward(self, x):
        y = self.act(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return self.act(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet18(nn.Module):
    def __init__(self, channels, n_outputs, nd, stem="small", width=64, act=relu):
        super().__init__()
        conv = nn.Conv2d if nd == 2 else nn.Conv3d
        norm = nn.BatchNorm2d if nd == 2 else nn.BatchNorm3d
        small = stem == "small"
        self.conv = conv(channels, width, 3 if small else 7, 1 if small else 2, 1 if small else 3,
                         bias=False)
        self.norm, self.act = norm(width), act
        pool = nn.MaxPool2d if nd == 2 else nn.MaxPool3d
        self.pool = nn.Identity() if small else pool(3, 2, 1)
        blocks, c_in = [], width
        for c_out, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
            blocks += [Block(c_in, c_out, stride, nd, act), Block(c_out, c_out, 1, nd, act)]
            c_in = c_out
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(c_in, n_outputs)
        self.axes = tuple(range(2, 2 + nd))

    def forward(self, x):
        x = self.pool(self.act(self.norm(self.conv(x))))
        return self.fc(self.blocks(x).mean(self.axes))
